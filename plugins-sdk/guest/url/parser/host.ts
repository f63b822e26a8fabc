import { charCodeAt, floor, numberToString, regExpExec, stringIndexOf, stringSlice } from '../../primordials.ts';
import { CONTROLS, hexValue, isAscii, lowerAscii, percentDecode, percentEncode } from '../percent.ts';
import { domainToAscii } from './idna.ts';

/** `\0 \t \n \r space # / : < > ? @ [ \ ] ^ |` */
const FORBIDDEN_IN_HOST = /[\0\t\n\r #/:<>?@[\\\]^|]/;
/** The same, `%` and all controls. */
const FORBIDDEN_IN_DOMAIN = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/;
const PLAIN = /^[a-z0-9._-]+$/;

/** The host as it is written in a URL; null where it is none. `opaque` for schemes that are not special. */
export function parseHost(text: string, opaque: boolean): string | null {
  if (charCodeAt(text, 0) === 91) {
    if (charCodeAt(text, text.length - 1) !== 93) return null;
    const pieces = parseIpv6(stringSlice(text, 1, text.length - 1));
    return pieces === null ? null : `[${writeIpv6(pieces)}]`;
  }
  if (opaque) return regExpExec(FORBIDDEN_IN_HOST, text) === null ? percentEncode(text, CONTROLS) : null;
  const domain = regExpExec(PLAIN, text) !== null ? text : percentDecode(text);
  const ascii = asciiOf(domain);
  if (ascii === null || ascii === '' || regExpExec(FORBIDDEN_IN_DOMAIN, ascii) !== null) return null;
  return endsInNumber(ascii) ? parseIpv4(ascii) : ascii;
}

/** ASCII without punycode needs only small letters. */
function asciiOf(domain: string): string | null {
  if (!isAscii(domain)) return domainToAscii(domain);
  const lower = lowerAscii(domain);
  return stringIndexOf(lower, 'xn--') < 0 ? lower : domainToAscii(lower);
}

function endsInNumber(host: string): boolean {
  let end = host.length;
  if (charCodeAt(host, end - 1) === 46) end -= 1;
  let from = end;
  while (from > 0 && charCodeAt(host, from - 1) !== 46) from -= 1;
  if (from === end) return false;
  const last = stringSlice(host, from, end);
  return regExpExec(DIGITS, last) !== null || regExpExec(HEXADECIMAL, last) !== null;
}
const DIGITS = /^[0-9]+$/;
const HEXADECIMAL = /^0[xX][0-9a-fA-F]*$/;
const OCTAL = /^[0-7]*$/;

/** Null where it is no address. */
function parseIpv4(host: string): string | null {
  let address = 0;
  let parts = 0;
  let from = 0;
  const end = charCodeAt(host, host.length - 1) === 46 ? host.length - 1 : host.length;
  for (let at = 0; at <= end; at += 1) {
    if (at < end && charCodeAt(host, at) !== 46) continue;
    const value = ipv4Number(stringSlice(host, from, at));
    parts += 1;
    if (value === null || parts > 4) return null;
    const isLast = at === end;
    if (!isLast && value > 255) return null;
    if (isLast && value >= 256 ** (5 - parts)) return null;
    address += isLast ? value : value * 256 ** (4 - parts);
    from = at + 1;
  }
  return `${floor(address / 0x1000000)}.${floor(address / 0x10000) & 255}.${floor(address / 256) & 255}.${address % 256}`;
}

function ipv4Number(text: string): number | null {
  if (text === '') return null;
  if (regExpExec(HEXADECIMAL, text) !== null) return numberOf(stringSlice(text, 2), 16);
  if (regExpExec(DIGITS, text) === null) return null;
  if (text.length > 1 && charCodeAt(text, 0) === 48) {
    return regExpExec(OCTAL, text) === null ? null : numberOf(text, 8);
  }
  return numberOf(text, 10);
}

function numberOf(digits: string, radix: number): number {
  let value = 0;
  for (let at = 0; at < digits.length; at += 1) value = value * radix + hexValue(charCodeAt(digits, at));
  return value;
}

/** Eight pieces of 16 bits; null where it is no address. */
function parseIpv6(text: string): number[] | null {
  const pieces = [0, 0, 0, 0, 0, 0, 0, 0];
  let count = 0;
  let compress = -1;
  let at = 0;
  const unit = (index: number): number => (index < text.length ? charCodeAt(text, index) : -1);
  if (unit(0) === 58) {
    if (unit(1) !== 58) return null;
    at = 2;
    count = 1;
    compress = 1;
  }
  while (at < text.length) {
    if (count === 8) return null;
    if (unit(at) === 58) {
      if (compress >= 0) return null;
      at += 1;
      count += 1;
      compress = count;
      continue;
    }
    let value = 0;
    let digits = 0;
    for (; digits < 4 && hexValue(unit(at)) >= 0; digits += 1, at += 1) value = value * 16 + hexValue(unit(at));
    if (unit(at) === 46) {
      if (digits === 0 || count > 6) return null;
      if (!readIpv4Tail(text, at - digits, pieces, count)) return null;
      count += 2;
      break;
    }
    if (unit(at) === 58) {
      at += 1;
      if (at === text.length) return null;
    } else if (at < text.length) return null;
    pieces[count] = value;
    count += 1;
  }
  if (compress >= 0) {
    let swaps = count - compress;
    for (let index = 7; index !== 0 && swaps > 0; index -= 1, swaps -= 1) {
      const other = compress + swaps - 1;
      const kept = pieces[other]!;
      pieces[other] = pieces[index]!;
      pieces[index] = kept;
    }
  } else if (count !== 8) return null;
  return pieces;
}

/** Four decimal numbers without leading zeros, to the end of the text, as two pieces. */
function readIpv4Tail(text: string, from: number, pieces: number[], count: number): boolean {
  let at = from;
  for (let seen = 0; seen < 4; seen += 1) {
    if (seen > 0) {
      if (at >= text.length || charCodeAt(text, at) !== 46) return false;
      at += 1;
    }
    let value = -1;
    for (; at < text.length; at += 1) {
      const digit = charCodeAt(text, at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      if (value === 0) return false;
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 255) return false;
    }
    if (value < 0) return false;
    const piece = count + (seen >> 1);
    pieces[piece] = pieces[piece]! * 256 + value;
  }
  return at === text.length;
}

/** The longest run of two or more zero pieces becomes `::`. */
function writeIpv6(pieces: readonly number[]): string {
  let best = -1;
  let bestLength = 1;
  for (let from = 0; from < 8; from += 1) {
    let length = 0;
    while (from + length < 8 && pieces[from + length] === 0) length += 1;
    if (length > bestLength) {
      best = from;
      bestLength = length;
    }
    if (length > 0) from += length - 1;
  }
  let text = '';
  for (let at = 0; at < 8; at += 1) {
    if (at === best) {
      text += at === 0 ? '::' : ':';
      at += bestLength - 1;
      continue;
    }
    text += numberToString(pieces[at]!, 16) + (at < 7 ? ':' : '');
  }
  return text;
}
