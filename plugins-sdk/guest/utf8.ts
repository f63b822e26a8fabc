import {
  apply,
  bytesSet,
  charCodeAt,
  copyOfBytes,
  fromCharCode,
  min,
  NativeTypeError,
  NativeUint8Array,
  NativeUint16Array,
  typedArrayBuffer,
} from './primordials.ts';

const REPLACEMENT = 0xfffd;
const CHUNK_UNITS = 4_096;

const isHigh = (unit: number): boolean => (unit & 0xfc00) === 0xd800;
const isLow = (unit: number): boolean => (unit & 0xfc00) === 0xdc00;

/** Bytes of `text` in UTF-8; an unpaired surrogate counts as U+FFFD. */
export function utf8Length(text: string): number {
  let bytes = 0;
  const { length } = text;
  for (let at = 0; at < length; at += 1) {
    const unit = charCodeAt(text, at);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (isHigh(unit) && isLow(charCodeAt(text, at + 1))) {
      bytes += 4;
      at += 1;
    } else bytes += 3;
  }
  return bytes;
}

/** Bytes of `text` in UTF-8 where they may be more than `bytesMax`; 0 where so short a text cannot be. */
export const utf8LengthOver = (text: string, bytesMax: number): number =>
  text.length * 3 <= bytesMax ? 0 : utf8Length(text);

/** Writes as many whole characters of `text` as fit. */
export function utf8EncodeInto(text: string, into: Uint8Array): { read: number; written: number } {
  const space = into.length;
  const { length } = text;
  let written = 0;
  let read = 0;
  while (read < length) {
    let code = charCodeAt(text, read);
    const paired = isHigh(code) && read + 1 < length && isLow(charCodeAt(text, read + 1));
    if (paired) code = 0x10000 + ((code & 0x3ff) << 10) + (charCodeAt(text, read + 1) & 0x3ff);
    else if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT;
    const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (written + size > space) break;
    if (size === 1) into[written] = code;
    else {
      for (let at = size - 1; at > 0; at -= 1) {
        into[written + at] = 0x80 | (code & 0x3f);
        code >>>= 6;
      }
      into[written] = code | LEADS[size]!;
    }
    written += size;
    read += paired ? 2 : 1;
  }
  return { read, written };
}
const LEADS = [0, 0, 0xc0, 0xe0, 0xf0];

export function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new NativeUint8Array(utf8Length(text));
  utf8EncodeInto(text, bytes);
  return bytes;
}

/** What a decoder keeps between two pieces of a stream: the bytes of a character that is not complete yet. */
export interface Utf8State {
  tail: Uint8Array;
}

/**
 * Decodes by the WHATWG rules: one U+FFFD for each maximal broken part; with `fatal` a TypeError instead.
 * With `state` an incomplete end is kept for the next piece.
 */
export function utf8Decode(input: Uint8Array, fatal: boolean, state?: Utf8State): string {
  const bytes = state && state.tail.length > 0 ? joined(state.tail, input) : input;
  const units = new NativeUint16Array(CHUNK_UNITS);
  let count = 0;
  let text = '';
  let at = 0;
  const { length } = bytes;
  while (at < length) {
    if (count > CHUNK_UNITS - 2) {
      text += textOf(units, count);
      count = 0;
    }
    const lead = bytes[at]!;
    if (lead < 0x80) {
      units[count++] = lead;
      at += 1;
      continue;
    }
    const size = sequenceSize(lead);
    const good = validBytes(bytes, at, size);
    if (size > 0 && good === size) {
      count = putCodePoint(units, count, codePointOf(bytes, at, size));
      at += size;
    } else if (state && size > 0 && at + good === length) {
      break;
    } else {
      if (fatal) throw new NativeTypeError('The bytes are not valid UTF-8.');
      units[count++] = REPLACEMENT;
      at += good > 0 ? good : 1;
    }
  }
  if (state) state.tail = copyOfBytes(bytes, at);
  return text + textOf(units, count);
}

const textOf = (units: Uint16Array, count: number): string =>
  apply(fromCharCode, null, new NativeUint16Array(typedArrayBuffer(units), 0, count) as unknown as number[]);

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new NativeUint8Array(head.length + tail.length);
  bytesSet(bytes, head);
  bytesSet(bytes, tail, head.length);
  return bytes;
}

const sequenceSize = (lead: number): number =>
  lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;

/** How many bytes at `at` are a valid beginning of a sequence of `size` bytes (Unicode table 3-7). */
function validBytes(bytes: Uint8Array, at: number, size: number): number {
  if (size === 0) return 0;
  const lead = bytes[at]!;
  const end = min(size, bytes.length - at);
  for (let index = 1; index < end; index += 1) {
    const byte = bytes[at + index]!;
    const from = index > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const to = index > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (byte < from || byte > to) return index;
  }
  return end;
}

function codePointOf(bytes: Uint8Array, at: number, size: number): number {
  let code = bytes[at]! & (size === 2 ? 0x1f : size === 3 ? 0x0f : 0x07);
  for (let index = 1; index < size; index += 1) code = (code << 6) | (bytes[at + index]! & 0x3f);
  return code;
}

function putCodePoint(units: Uint16Array, count: number, code: number): number {
  if (code < 0x10000) {
    units[count] = code;
    return count + 1;
  }
  units[count] = 0xd800 + ((code - 0x10000) >> 10);
  units[count + 1] = 0xdc00 + ((code - 0x10000) & 0x3ff);
  return count + 2;
}
