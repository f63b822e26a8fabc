import { createHash, createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';

/**
 * What proves that Telegram wrote init data. A bot's token, which Telegram shares with its owner, or a public key of Telegram, which
 * binds the data to the id of a bot whose token is not known here.
 */
export type InitDataProof =
  | { form: 'hmac-sha256'; botToken: string }
  | { form: 'ed25519'; botId: string; publicKeyHex: string };

export interface InitDataBounds {
  /** How old `auth_date` may be. */
  ageMsMax: number;
  /** How far in the future it may be: clocks differ. */
  skewMsMax: number;
}

export type InitDataVerdict =
  | {
      valid: true;
      /** Telegram's id of the person: a decimal number of at most 52 bits. */
      telegramId: string;
      /**
       * SHA-256 of everything that was signed. It is the same for every way to write the same data (order, percent signs) and for
       * both forms of proof, so it is what a second use is known by.
       */
      fingerprint: Buffer;
      /** From then on the data is stale anyhow. */
      staleAtMs: number;
    }
  | { valid: false; fault: 'malformed' | 'forged' | 'stale' | 'from-the-future' };

const CHARS_MAX = 4_096;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const SECONDS = /^[1-9]\d{0,11}$/;

/**
 * Checks the `initData` of a Telegram Mini App: written by Telegram for this bot, and fresh.
 * Source: https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
 */
export function checkInitData(
  text: string,
  { proof, bounds, nowMs }: { proof: InitDataProof; bounds: InitDataBounds; nowMs: number },
): InitDataVerdict {
  const fields = readFields(text);
  const authDate = fields?.get('auth_date');
  if (!fields || authDate === undefined || !SECONDS.test(authDate)) return { valid: false, fault: 'malformed' };
  if (!isProven(fields, proof)) return { valid: false, fault: 'forged' };
  const telegramId = idIn(fields.get('user'));
  // Also signed data may name nobody: that of a Mini App that was opened by a keyboard button.
  if (telegramId === null) return { valid: false, fault: 'malformed' };
  const atMs = Number(authDate) * 1_000;
  if (atMs > nowMs + bounds.skewMsMax) return { valid: false, fault: 'from-the-future' };
  const staleAtMs = atMs + bounds.ageMsMax;
  if (nowMs >= staleAtMs) return { valid: false, fault: 'stale' };
  const fingerprint = createHash('sha256')
    .update(linesWithout(fields, 'hash', 'signature'))
    .digest();
  return { valid: true, telegramId, fingerprint, staleAtMs };
}

/** What Telegram signs is lines of `name=value`. A name with `=` or a value with a line break could be cut in another way than was signed. */
function readFields(text: string): Map<string, string> | null {
  if (text.length > CHARS_MAX) return null;
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (!NAME.test(name) || fields.has(name) || hasControls(value)) return null;
    fields.set(name, value);
  }
  return fields;
}

const hasControls = (value: string): boolean => [...value].some((char) => char < ' ' || char === '\u007f');

/** `hash` covers `signature` where there is one; `signature` covers neither. */
function isProven(fields: Map<string, string>, proof: InitDataProof): boolean {
  if (proof.form === 'hmac-sha256') {
    const key = createHmac('sha256', 'WebAppData').update(proof.botToken).digest();
    const expected = createHmac('sha256', key).update(linesWithout(fields, 'hash')).digest();
    const hash = fields.get('hash') ?? '';
    return /^[0-9a-f]{64}$/.test(hash) && timingSafeEqual(Buffer.from(hash, 'hex'), expected);
  }
  const signature = fields.get('signature') ?? '';
  // 64 bytes are 86 digits of base64url; padding is let through because some clients add it.
  if (!/^[A-Za-z0-9_-]{86}(?:==)?$/.test(signature)) return false;
  const lines = `${proof.botId}:WebAppData\n${linesWithout(fields, 'hash', 'signature')}`;
  return verify(null, Buffer.from(lines), publicKeyOf(proof.publicKeyHex), Buffer.from(signature, 'base64url'));
}

const linesWithout = (fields: Map<string, string>, ...names: string[]): string =>
  [...fields]
    .filter(([name]) => !names.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');

// RFC 8410, section 4: the algorithm identifier of Ed25519 before the 32 bytes of the key.
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

const publicKeyOf = (hex: string) =>
  createPublicKey({ key: Buffer.concat([SPKI_HEAD, Buffer.from(hex, 'hex')]), format: 'der', type: 'spki' });

function idIn(user: string | undefined): string | null {
  if (user === undefined) return null;
  try {
    const id: unknown = (JSON.parse(user) as { id?: unknown } | null)?.id;
    return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? String(id) : null;
  } catch {
    return null;
  }
}
