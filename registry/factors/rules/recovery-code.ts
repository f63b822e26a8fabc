import { createHash } from 'node:crypto';

export const RECOVERY_CODES = 10;
export const RECOVERY_CODE_BYTES = 10;

// Crockford's base 32: no letter looks like a digit. https://www.crockford.com/base32.html
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const CODE = /^[0-9a-hjkmnp-tv-z]{16}$/;

/** 80 random bits as `xxxx-xxxx-xxxx-xxxx`. */
export function recoveryCodeOf(random: Uint8Array): string {
  if (random.length !== RECOVERY_CODE_BYTES) throw new TypeError(`a code needs ${RECOVERY_CODE_BYTES} random bytes`);
  const number = random.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const digits = Array.from({ length: 16 }, (_, at) => DIGITS[Number((number >> BigInt(5 * (15 - at))) & 31n)]);
  return digits.join('').replace(/(.{4})(?=.)/g, '$1-');
}

/** What is stored instead of a code; null where the text cannot be one. Forgives case, blanks, hyphens, and O for 0, I and L for 1. */
export function recoveryHash(accountId: string, text: string): Buffer | null {
  const code = text.toLowerCase().replace(/[\s-]/g, '').replace(/o/g, '0').replace(/[il]/g, '1');
  return CODE.test(code) ? createHash('sha256').update(`${accountId}:${code}`).digest() : null;
}
