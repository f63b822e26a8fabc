import { charCodeAt, NativeUint8Array, stringIndexOf, stringSlice } from '../primordials.ts';
import type { UrlRecord } from './record.ts';

/** What a character may be part of without being changed, as bits of `PLAIN`. */
const IN_HOST = 1;
const IN_PATH = 2;
const IN_QUERY = 4;
const IN_FRAGMENT = 8;

const PLAIN = new NativeUint8Array(128);
const mark = (bits: number, characters: string): void => {
  for (let at = 0; at < characters.length; at += 1) {
    const code = charCodeAt(characters, at);
    PLAIN[code] = PLAIN[code]! | bits;
  }
};
for (let code = 0x21; code < 0x7f; code += 1) PLAIN[code] = IN_PATH | IN_QUERY | IN_FRAGMENT;
mark(IN_HOST, 'abcdefghijklmnopqrstuvwxyz0123456789-.');
const unmark = (bits: number, characters: string): void => {
  for (let at = 0; at < characters.length; at += 1) {
    const code = charCodeAt(characters, at);
    PLAIN[code] = PLAIN[code]! & ~bits;
  }
};
unmark(IN_PATH, '"#<>?^`{}\\');
unmark(IN_QUERY, '"#<>\'');
unmark(IN_FRAGMENT, '"<>`');

const SLASH = 47;
const DOT = 46;

/**
 * Absolute `http:` and `https:` URLs that are written as they would be written out, which nearly all are, read in one pass: null for
 * every other text, whose reading is left to the whole parser. The href of what it reads is the text itself.
 */
export function parsePlain(text: string): UrlRecord | null {
  const secure = charCodeAt(text, 4) === 115;
  const from = secure ? 8 : 7;
  if (stringSlice(text, 0, from) !== (secure ? 'https://' : 'http://')) return null;
  const { length } = text;
  let at = from;
  while (at < length && (PLAIN[charCodeAt(text, at)]! & IN_HOST) !== 0) at += 1;
  const host = stringSlice(text, from, at);
  if (!isPlainHost(host)) return null;
  let port: number | null = null;
  if (charCodeAt(text, at) === 58) {
    port = 0;
    const portAt = at + 1;
    for (at = portAt; at < length && at < portAt + 6; at += 1) {
      const digit = charCodeAt(text, at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      port = port * 10 + digit;
    }
    if (at === portAt || port > 0xffff || port === (secure ? 443 : 80)) return null;
    if (charCodeAt(text, portAt) === 48 && at > portAt + 1) return null;
  }
  const pathAt = at;
  if (charCodeAt(text, at) !== SLASH) return null;
  for (; at < length; at += 1) {
    const unit = charCodeAt(text, at);
    if (unit > 127 || (PLAIN[unit]! & IN_PATH) === 0) break;
    // A segment of dots, or the beginning of dots that are written `%2e`.
    if (unit === SLASH && charCodeAt(text, at + 1) === DOT) return null;
    if (unit === 37 && charCodeAt(text, at + 1) === 50) return null;
  }
  const path = stringSlice(text, pathAt, at);
  let query: string | null = null;
  let fragment: string | null = null;
  if (at < length && charCodeAt(text, at) === 63) {
    const queryAt = at + 1;
    at = plainEnd(text, queryAt, IN_QUERY);
    query = stringSlice(text, queryAt, at);
  }
  if (at < length && charCodeAt(text, at) === 35) {
    const fragmentAt = at + 1;
    at = plainEnd(text, fragmentAt, IN_FRAGMENT);
    fragment = stringSlice(text, fragmentAt);
  }
  if (at < length) return null;
  const scheme = secure ? 'https' : 'http';
  return { scheme, username: '', password: '', host, port, path, opaque: false, query, fragment };
}

function plainEnd(text: string, from: number, bits: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const unit = charCodeAt(text, at);
    if (unit > 127 || (PLAIN[unit]! & bits) === 0) break;
  }
  return at;
}

/** Small letters, digits, hyphens and dots; no punycode, and nothing that could be a number. */
function isPlainHost(host: string): boolean {
  const { length } = host;
  if (length === 0) return false;
  let last = length - 1;
  if (charCodeAt(host, last) === DOT) last -= 1;
  while (last >= 0 && charCodeAt(host, last) !== DOT) last -= 1;
  const first = charCodeAt(host, last + 1);
  return !(first >= 48 && first <= 57) && stringIndexOf(host, 'xn--') < 0;
}
