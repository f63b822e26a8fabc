import { createHash } from 'node:crypto';
import type { TokenRole } from './permissions.ts';

/**
 * `gh_<role>_<43 digits of base 62: 32 random bytes><6 digits: checksum>`. The prefix and the checksum let a scanner of
 * source code tell a leaked token from noise without asking us.
 */
const PREFIXES: Record<TokenRole, string> = {
  publisher: 'pub',
  developer: 'dev',
  'operator-owner': 'op',
  'operator-manager': 'opm',
  'operator-viewer': 'opv',
  caller: 'call',
  moderator: 'mod',
  admin: 'adm',
  'finance-specialist': 'fins',
  'finance-manager': 'finm',
  'finance-auditor': 'fina',
  analyst: 'ana',
};
const SECRET_PATTERN = new RegExp(`^gh_(?:${Object.values(PREFIXES).join('|')})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$`);
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const SECRET_RANDOM_BYTES = 32;

/** The secret made of 32 random bytes. */
export function secretOf(role: TokenRole, random: Uint8Array): string {
  if (random.length !== SECRET_RANDOM_BYTES) throw new TypeError(`a secret needs ${SECRET_RANDOM_BYTES} random bytes`);
  const body = `gh_${PREFIXES[role]}_${base62(random, 43)}`;
  return body + checksumOf(body);
}

/** Whether a text can be a secret at all: the form is right and the checksum fits. */
export function isSecret(text: string): boolean {
  return SECRET_PATTERN.test(text) && checksumOf(text.slice(0, -6)) === text.slice(-6);
}

/** What is stored instead of the secret. */
export const secretHash = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** 32 bits of SHA-256: enough against typing errors, and it protects nothing else. */
const checksumOf = (body: string): string => base62(createHash('sha256').update(body).digest().subarray(0, 4), 6);

function base62(bytes: Uint8Array, length: number): string {
  let rest = bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n);
  let text = '';
  for (; rest > 0n; rest /= 62n) text = DIGITS[Number(rest % 62n)] + text;
  return text.padStart(length, '0');
}
