import { NativeUint32Array } from './primordials.ts';

/** ChaCha20 (RFC 8439), the one generator behind `Math.random` and `crypto`. */

const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const WORDS = 16;

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

function quarterRound(x: Uint32Array, a: number, b: number, c: number, d: number): void {
  x[a] = x[a]! + x[b]!;
  x[d] = rotate(x[d]! ^ x[a]!, 16);
  x[c] = x[c]! + x[d]!;
  x[b] = rotate(x[b]! ^ x[c]!, 12);
  x[a] = x[a]! + x[b]!;
  x[d] = rotate(x[d]! ^ x[a]!, 8);
  x[c] = x[c]! + x[d]!;
  x[b] = rotate(x[b]! ^ x[c]!, 7);
}

/**
 * One block of key stream (RFC 8439, 2.3): 16 little-endian words.
 * `key` has 8 words, `nonce` 3; `counter` counts blocks of 64 bytes.
 */
export function chacha20Block(key: Uint32Array, counter: number, nonce: Uint32Array): Uint32Array {
  const start = new NativeUint32Array(WORDS);
  for (let at = 0; at < 4; at += 1) start[at] = CONSTANTS[at]!;
  for (let at = 0; at < 8; at += 1) start[4 + at] = key[at]!;
  start[12] = counter;
  for (let at = 0; at < 3; at += 1) start[13 + at] = nonce[at]!;
  const x = new NativeUint32Array(WORDS);
  for (let at = 0; at < WORDS; at += 1) x[at] = start[at]!;
  for (let round = 0; round < 10; round += 1) {
    quarterRound(x, 0, 4, 8, 12);
    quarterRound(x, 1, 5, 9, 13);
    quarterRound(x, 2, 6, 10, 14);
    quarterRound(x, 3, 7, 11, 15);
    quarterRound(x, 0, 5, 10, 15);
    quarterRound(x, 1, 6, 11, 12);
    quarterRound(x, 2, 7, 8, 13);
    quarterRound(x, 3, 4, 9, 14);
  }
  for (let at = 0; at < WORDS; at += 1) x[at] = x[at]! + start[at]!;
  return x;
}
