import { bytesSet, floor, NativeUint8Array, NativeUint32Array, viewOfBytes } from '../primordials.ts';

const BLOCK_BYTES = 64;

/** Fractional parts of the cube roots of the first 64 primes, and of the square roots of the first eight (FIPS 180-4). */
const K = new NativeUint32Array(64);
const INITIAL = new NativeUint32Array(8);
const fraction = (root: number): number => floor((root - floor(root)) * 2 ** 32);
for (let number = 2, found = 0; found < 64; number += 1) {
  let isPrime = true;
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) if (number % divisor === 0) isPrime = false;
  if (!isPrime) continue;
  K[found] = fraction(number ** (1 / 3));
  if (found < 8) INITIAL[found] = fraction(number ** 0.5);
  found += 1;
}

const words = new NativeUint32Array(64);

/** One block of 64 bytes at `from`. */
function compress(state: Uint32Array, bytes: Uint8Array, from: number): void {
  for (let at = 0; at < 16; at += 1) {
    const byte = from + at * 4;
    words[at] = (bytes[byte]! << 24) | (bytes[byte + 1]! << 16) | (bytes[byte + 2]! << 8) | bytes[byte + 3]!;
  }
  for (let at = 16; at < 64; at += 1) {
    const x = words[at - 15]!;
    const y = words[at - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[at] = (words[at - 16]! + s0 + words[at - 7]! + s1) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let at = 0; at < 64; at += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[at]! + words[at]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
  state[4] = state[4]! + e;
  state[5] = state[5]! + f;
  state[6] = state[6]! + g;
  state[7] = state[7]! + h;
}

/** SHA-256 of `bytes`, in the isolate: below some kilobytes that is faster than asking the host. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = new NativeUint32Array(8);
  for (let at = 0; at < 8; at += 1) state[at] = INITIAL[at]!;
  const { length } = bytes;
  const whole = length - (length % BLOCK_BYTES);
  for (let from = 0; from < whole; from += BLOCK_BYTES) compress(state, bytes, from);
  const rest = length - whole;
  const tail = new NativeUint8Array(rest < 56 ? BLOCK_BYTES : BLOCK_BYTES * 2);
  bytesSet(tail, viewOfBytes(bytes, whole, length));
  tail[rest] = 0x80;
  let bits = length * 8;
  for (let at = tail.length - 1; bits > 0; at -= 1) {
    tail[at] = bits % 256;
    bits = floor(bits / 256);
  }
  for (let from = 0; from < tail.length; from += BLOCK_BYTES) compress(state, tail, from);
  const digest = new NativeUint8Array(32);
  for (let at = 0; at < 32; at += 1) digest[at] = state[at >>> 2]! >>> (24 - (at & 3) * 8);
  return digest;
}

/** HMAC with SHA-256 (RFC 2104). */
export function hmacSha256(key: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const short = key.length > BLOCK_BYTES ? sha256(key) : key;
  const inner = new NativeUint8Array(BLOCK_BYTES + bytes.length);
  const outer = new NativeUint8Array(BLOCK_BYTES + 32);
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    const byte = at < short.length ? short[at]! : 0;
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  bytesSet(inner, bytes, BLOCK_BYTES);
  bytesSet(outer, sha256(inner), BLOCK_BYTES);
  return sha256(outer);
}

/** Whether two byte strings are the same, in a time that does not tell where they differ. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at += 1) difference |= one[at]! ^ other[at]!;
  return difference === 0;
}
