import { min, NativeUint32Array } from '../primordials.ts';

const TABLE = new NativeUint32Array(256);
for (let at = 0; at < 256; at += 1) {
  let value = at;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  TABLE[at] = value;
}

/** Both checksums begin with what they give for nothing and take what they gave for the bytes before. */
export type Checksum = (sum: number, bytes: Uint8Array) => number;

/** CRC-32 (RFC 1952), beginning with 0. */
export const crc32: Checksum = (sum, bytes) => {
  let value = ~sum;
  const { length } = bytes;
  for (let at = 0; at < length; at += 1) value = TABLE[(value ^ bytes[at]!) & 0xff]! ^ (value >>> 8);
  return ~value >>> 0;
};

const PRIME = 65_521;
/** So many bytes can be added before the sums have to be reduced (RFC 1950). */
const RUN = 3_800;

/** Adler-32, beginning with 1. */
export const adler32: Checksum = (sum, bytes) => {
  let low = sum & 0xffff;
  let high = sum >>> 16;
  const { length } = bytes;
  for (let from = 0; from < length; from += RUN) {
    const to = min(from + RUN, length);
    for (let at = from; at < to; at += 1) {
      low += bytes[at]!;
      high += low;
    }
    low %= PRIME;
    high %= PRIME;
  }
  return ((high << 16) | low) >>> 0;
};
