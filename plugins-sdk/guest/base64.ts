import { apply, charCodeAt, fromCharCode, min, NativeUint8Array, viewOfBytes } from './primordials.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 61;
const CHUNK_BYTES = 3 * 1_024;

const digits = new NativeUint8Array(64);
const values = new Int8Array(128).fill(-1);
for (let at = 0; at < 64; at += 1) {
  digits[at] = charCodeAt(ALPHABET, at);
  values[digits[at]!] = at;
}

export function base64Encode(bytes: Uint8Array): string {
  const out = new NativeUint8Array((CHUNK_BYTES / 3) * 4);
  const { length } = bytes;
  let text = '';
  for (let from = 0; from < length; from += CHUNK_BYTES) {
    const to = min(from + CHUNK_BYTES, length);
    let put = 0;
    for (let at = from; at < to; at += 3) {
      const left = to - at;
      const group = (bytes[at]! << 16) | ((left > 1 ? bytes[at + 1]! : 0) << 8) | (left > 2 ? bytes[at + 2]! : 0);
      out[put] = digits[group >>> 18]!;
      out[put + 1] = digits[(group >>> 12) & 63]!;
      out[put + 2] = left > 1 ? digits[(group >>> 6) & 63]! : PAD;
      out[put + 3] = left > 2 ? digits[group & 63]! : PAD;
      put += 4;
    }
    text += apply(fromCharCode, null, viewOfBytes(out, 0, put) as unknown as number[]);
  }
  return text;
}

/** Forgiving decoding (WHATWG Infra): white space is skipped, padding may be missing. Null where it is not base64. */
export function base64Decode(text: string): Uint8Array<ArrayBuffer> | null {
  const out = new NativeUint8Array((text.length * 3) >>> 2);
  let group = 0;
  let count = 0;
  let pads = 0;
  let put = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = charCodeAt(text, at);
    if (unit === 32 || unit === 9 || unit === 10 || unit === 12 || unit === 13) continue;
    if (unit === PAD) {
      pads += 1;
      continue;
    }
    const value = unit < 128 ? values[unit]! : -1;
    if (value < 0 || pads > 0) return null;
    group = (group << 6) | value;
    count += 1;
    if ((count & 3) === 0) {
      out[put] = (group >>> 16) & 0xff;
      out[put + 1] = (group >>> 8) & 0xff;
      out[put + 2] = group & 0xff;
      put += 3;
      group = 0;
    }
  }
  const rest = count & 3;
  if (rest === 1 || pads > 2 || (pads > 0 && rest + pads !== 4)) return null;
  if (rest >= 2) out[put++] = (group >>> (rest === 2 ? 4 : 10)) & 0xff;
  if (rest === 3) out[put++] = (group >>> 2) & 0xff;
  return viewOfBytes(out, 0, put);
}
