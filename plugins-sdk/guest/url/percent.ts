import {
  charCodeAt,
  fromCharCode,
  NativeUint8Array,
  numberToString,
  stringIndexOf,
  stringSlice,
  stringUpper,
  typedArrayBuffer,
} from '../primordials.ts';
import { utf8Decode, utf8Encode } from '../utf8.ts';

/** The percent-encode sets of the URL standard, as bits of `SETS`. */
export const FRAGMENT = 1;
export const QUERY = 2;
export const SPECIAL_QUERY = 4;
export const PATH = 8;
export const USERINFO = 16;
/** Controls alone: for opaque hosts and paths. */
export const CONTROLS = 32;

const SETS = new NativeUint8Array(128);
const mark = (set: number, characters: string): void => {
  for (let at = 0; at < characters.length; at += 1) {
    const code = charCodeAt(characters, at);
    SETS[code] = SETS[code]! | set;
  }
};
for (let code = 0; code < 128; code += 1) if (code < 0x20 || code === 0x7f) SETS[code] = 0xff;
mark(FRAGMENT, ' "<>`');
mark(QUERY | SPECIAL_QUERY, ' "#<>');
mark(SPECIAL_QUERY, "'");
mark(PATH | USERINFO, ' "#<>?^`{}');
mark(USERINFO, '/:;=@[\\]|');

const HEX: string[] = [];
for (let byte = 0; byte < 256; byte += 1)
  HEX[byte] = `%${byte < 16 ? '0' : ''}${stringUpper(numberToString(byte, 16))}`;
export const needsEncoding = (unit: number, set: number): boolean => unit > 0x7e || (SETS[unit]! & set) !== 0;

/** UTF-8 percent-encodes what is in the set; everything beyond ASCII is in all of them. */
export function percentEncode(text: string, set: number): string {
  let encoded = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = charCodeAt(text, at);
    if (!needsEncoding(unit, set)) continue;
    encoded += stringSlice(text, from, at);
    if (unit < 0x80) encoded += HEX[unit]!;
    else {
      let end = at + 1;
      while (end < text.length && charCodeAt(text, end) >= 0x80) end += 1;
      const bytes = utf8Encode(stringSlice(text, at, end));
      for (let index = 0; index < bytes.length; index += 1) encoded += HEX[bytes[index]!]!;
      at = end - 1;
    }
    from = at + 1;
  }
  return from === 0 ? text : encoded + stringSlice(text, from);
}

/** -1 for everything that is no hexadecimal digit. */
export const hexValue = (unit: number): number =>
  unit >= 48 && unit <= 57
    ? unit - 48
    : unit >= 65 && unit <= 70
      ? unit - 55
      : unit >= 97 && unit <= 102
        ? unit - 87
        : -1;

/** Percent-decodes and reads the bytes as UTF-8, without looking for a byte-order mark. */
export function percentDecode(text: string, plusIsSpace = false): string {
  if (stringIndexOf(text, '%') < 0) return plusIsSpace ? withSpaces(text) : isAscii(text) ? text : wellFormed(text);
  const bytes = utf8Encode(text);
  let put = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    const high = byte === 37 && at + 2 < bytes.length ? hexValue(bytes[at + 1]!) : -1;
    const low = high < 0 ? -1 : hexValue(bytes[at + 2]!);
    if (low >= 0) {
      bytes[put++] = (high << 4) | low;
      at += 2;
    } else bytes[put++] = plusIsSpace && byte === 43 ? 32 : byte;
  }
  return utf8Decode(new NativeUint8Array(typedArrayBuffer(bytes), 0, put), false);
}

const wellFormed = (text: string): string => utf8Decode(utf8Encode(text), false);

function withSpaces(text: string): string {
  let plain = '';
  let from = 0;
  for (let at = stringIndexOf(text, '+'); at >= 0; at = stringIndexOf(text, '+', at + 1)) {
    plain += `${stringSlice(text, from, at)} `;
    from = at + 1;
  }
  const whole = from === 0 ? text : plain + stringSlice(text, from);
  return isAscii(whole) ? whole : wellFormed(whole);
}

export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (charCodeAt(text, at) > 0x7f) return false;
  return true;
}

/** `application/x-www-form-urlencoded`: letters, digits and `*-._` stay, a space becomes `+`. */
export function formEncode(text: string): string {
  let encoded = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = charCodeAt(text, at);
    if (staysInForm(unit)) continue;
    encoded += stringSlice(text, from, at);
    if (unit === 32) encoded += '+';
    else if (unit < 0x80) encoded += HEX[unit]!;
    else {
      const end = at + ((unit & 0xfc00) === 0xd800 && (charCodeAt(text, at + 1) & 0xfc00) === 0xdc00 ? 2 : 1);
      const bytes = utf8Encode(stringSlice(text, at, end));
      for (let index = 0; index < bytes.length; index += 1) encoded += HEX[bytes[index]!]!;
      at = end - 1;
    }
    from = at + 1;
  }
  return from === 0 ? text : encoded + stringSlice(text, from);
}

const staysInForm = (unit: number): boolean =>
  (unit >= 97 && unit <= 122) ||
  (unit >= 65 && unit <= 90) ||
  (unit >= 48 && unit <= 57) ||
  unit === 42 ||
  unit === 45 ||
  unit === 46 ||
  unit === 95;

export const lowerAscii = (text: string): string => {
  let lower = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = charCodeAt(text, at);
    if (unit < 65 || unit > 90) continue;
    lower += stringSlice(text, from, at) + fromCharCode(unit + 32);
    from = at + 1;
  }
  return from === 0 ? text : lower + stringSlice(text, from);
};
