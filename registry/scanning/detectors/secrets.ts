import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';

const CHARS_MAX = 4 * 1024 * 1024;
const EXTRA: readonly [RegExp, string][] = [
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, 'an access key of AWS'],
  [/\bgh[tu]_[A-Za-z0-9]{20,}\b/g, 'a token of this platform'],
  [/\b(?:sk|rk)_live_[A-Za-z0-9]{16,}\b/g, 'a secret key of Stripe'],
  [/-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\\[nr]|\s)*[A-Za-z0-9+/=]{24,}/g, 'a private key'],
  [/\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b/g, 'a token of a Telegram bot'],
  [
    /\b(?:password|passwd|api_?key|secret(?:_?key)?|access_?token)["']?\s*[:=]\s*["'](?=[^"'\s]*\d)(?=[^"'\s]*[A-Za-z])[A-Za-z0-9_\-+/=.!@#$%^&*]{20,128}["']/gi,
    'a value that is named as a secret',
  ],
];
/** Values that say themselves that they are none. */
const PLACEHOLDER =
  /example|placeholder|your[-_]?|xxxx|dummy|changeme|<[^>]+>|test[-_]?(?:key|secret|token)|0123456789|abcdef/i;

/** Without the rule by which a comment in the text turns the others off: its publisher wrote that, too. */
const RULES = creator.rules
  .filter(({ meta }) => !meta.id.endsWith('-filter-comments'))
  .map((rule) => ({ id: rule.meta.id, rule }));

/** From `index` up to `end`, which is not of it any more. */
export interface SecretPlace {
  index: number;
  end: number;
  kind: string;
}

/** Where secrets stand in a text, with what they seem to be; never the secrets themselves. `told` leaves out what is found twice. */
export async function secretsIn(text: string, name: string): Promise<{ told: SecretPlace[]; all: SecretPlace[] }> {
  const bounded = text.slice(0, CHARS_MAX);
  const { messages } = await lintSource({
    source: { filePath: name, content: bounded, contentType: 'text' },
    options: {
      noPhysicFilePath: true,
      maskSecrets: true,
      config: { rules: RULES },
    },
  });
  const found = messages.map(({ range, message, messageId }) => ({
    index: range[0],
    end: range[1],
    kind: kindOf(message, messageId),
  }));
  const more = EXTRA.flatMap(([pattern, kind]) =>
    [...bounded.matchAll(pattern)]
      .filter(([hit]) => !PLACEHOLDER.test(hit))
      .map(({ index, 0: { length } }) => ({ index, end: index + length, kind })),
  );
  const others = more.filter(({ index }) => found.every((each) => Math.abs(each.index - index) > 80));
  return { told: [...found, ...others], all: [...found, ...more] };
}

/** `found AWS Access Key ID: ***` without what follows the colon. */
const kindOf = (message: string, id: string): string =>
  (/^found (.{1,60}?)(?::|$)/i.exec(message)?.[1] ?? id).slice(0, 80);
