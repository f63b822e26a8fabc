import { chacha20Block } from './chacha20.ts';
import { charCodeAt, NativeUint32Array } from './primordials.ts';

const BLOCK_BYTES = 64;
/** 2^-53: a double has 53 bits of mantissa. */
const STEP = 2 ** -53;
/** Every key is used for one stream only. */
const NONCE = new NativeUint32Array(3);

/** The random bytes of one invocation: the ChaCha20 key stream of its seed, so that the same seed gives the same bytes. */
export class RandomStream {
  readonly #seed: string;
  #key: Uint32Array | null = null;
  #block: Uint32Array | null = null;
  #counter = 0;
  #used = BLOCK_BYTES;

  /** `seed` has 64 hex digits. The key is made when the first byte is asked for. */
  constructor(seed: string) {
    this.#seed = seed;
  }

  nextByte(): number {
    if (this.#used === BLOCK_BYTES) this.#refill();
    const byte = (this.#block![this.#used >>> 2]! >>> ((this.#used & 3) * 8)) & 0xff;
    this.#used += 1;
    return byte;
  }

  fill(bytes: Uint8Array, length: number): void {
    for (let at = 0; at < length; at += 1) bytes[at] = this.nextByte();
  }

  /** Uniform in [0, 1) with 53 bits. */
  nextDouble(): number {
    const high = this.#nextWord() >>> 5;
    const low = this.#nextWord() >>> 6;
    return (high * 2 ** 26 + low) * STEP;
  }

  #nextWord(): number {
    return (this.nextByte() | (this.nextByte() << 8) | (this.nextByte() << 16) | (this.nextByte() << 24)) >>> 0;
  }

  #refill(): void {
    this.#key ??= keyOf(this.#seed);
    // The counter has 32 bits: 256 GiB of key stream, more than any CPU limit lets an invocation read.
    this.#block = chacha20Block(this.#key, this.#counter, NONCE);
    this.#counter += 1;
    this.#used = 0;
  }
}

/** Eight little-endian words of the key that `seed` writes down byte by byte. */
function keyOf(seed: string): Uint32Array {
  const key = new NativeUint32Array(8);
  for (let at = 0; at < 32; at += 1) {
    const byte = (hexDigit(charCodeAt(seed, at * 2)) << 4) | hexDigit(charCodeAt(seed, at * 2 + 1));
    key[at >>> 2] = key[at >>> 2]! | (byte << ((at & 3) * 8));
  }
  return key;
}

/** NaN, from a seed that is too short, counts as 0. */
const hexDigit = (code: number): number => (code >= 97 ? code - 87 : code >= 65 ? code - 55 : code - 48) & 15;
