import { sha256Hex } from '../../plugins-sdk/contract/index.ts';

/** A UUID (version 8, RFC 9562) that is the same for the same parts. */
export function derivedId(...parts: (string | number)[]): string {
  const hex = sha256Hex(JSON.stringify(parts));
  const variant = (8 | (Number.parseInt(hex[16]!, 16) & 3)).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
