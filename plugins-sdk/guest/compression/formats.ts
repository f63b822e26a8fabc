import { bytesSet, NativeTypeError, NativeUint8Array, viewOfBytes } from '../primordials.ts';
import { adler32, type Checksum, crc32 } from './checksums.ts';
import { Deflater } from './deflate.ts';
import { Inflater } from './inflate.ts';

export type Format = 'gzip' | 'deflate' | 'deflate-raw';
type Put = (bytes: Uint8Array<ArrayBuffer>) => void;
type Bytes = Uint8Array<ArrayBuffer>;

interface Wrapping {
  head: readonly number[];
  checksum: Checksum | null;
  begin: number;
  tail: (sum: number, length: number) => readonly number[];
}

const low = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
const high = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];

/** RFC 1952, 1950 and 1951. */
const WRAPPINGS: Record<Format, Wrapping> = {
  gzip: {
    head: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff],
    checksum: crc32,
    begin: 0,
    tail: (sum, length) => {
      const tail = low(sum);
      const size = low(length >>> 0);
      for (let at = 0; at < 4; at += 1) tail[4 + at] = size[at]!;
      return tail;
    },
  },
  deflate: { head: [0x78, 0x9c], checksum: adler32, begin: 1, tail: (sum) => high(sum) },
  'deflate-raw': { head: [], checksum: null, begin: 0, tail: () => [] },
};

/** Compresses, a chunk at a time. */
export class Compressor {
  readonly #wrapping: Wrapping;
  readonly #deflater = new Deflater();
  #sum: number;
  #length = 0;
  #isBegun = false;

  constructor(format: Format) {
    this.#wrapping = WRAPPINGS[format];
    this.#sum = this.#wrapping.begin;
  }

  push(bytes: Bytes, put: Put): void {
    const { checksum } = this.#wrapping;
    this.#begin(put);
    if (checksum !== null) this.#sum = checksum(this.#sum, bytes);
    this.#length += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      at += this.#deflater.take(bytes, at);
      if (!this.#deflater.isFull) continue;
      const block = this.#deflater.write(false);
      if (block.length > 0) put(block);
    }
  }

  end(put: Put): void {
    this.#begin(put);
    put(this.#deflater.write(true));
    const tail = this.#wrapping.tail(this.#sum, this.#length);
    if (tail.length > 0) put(bytesFrom(tail));
  }

  #begin(put: Put): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    if (this.#wrapping.head.length > 0) put(bytesFrom(this.#wrapping.head));
  }
}

function bytesFrom(list: readonly number[]): Bytes {
  const bytes = new NativeUint8Array(list.length);
  for (let at = 0; at < list.length; at += 1) bytes[at] = list[at]!;
  return bytes;
}

const broken = (why: string): TypeError => new NativeTypeError(`The compressed bytes are broken: ${why}`);

/** Decompresses: put a chunk in, take pieces out until there are none. */
export class Decompressor {
  readonly #format: Format;
  readonly #inflater = new Inflater();
  /** What was put in and belongs to the head or the tail. */
  #outside: Uint8Array = new NativeUint8Array(0);
  #phase: 'head' | 'content' | 'tail' | 'end';
  #sum: number;
  #length = 0;

  constructor(format: Format) {
    this.#format = format;
    this.#phase = format === 'deflate-raw' ? 'content' : 'head';
    this.#sum = WRAPPINGS[format].begin;
  }

  put(bytes: Bytes): void {
    if (bytes.length === 0) return;
    if (this.#phase === 'content') {
      this.#inflater.put(bytes);
      return;
    }
    const joined = new NativeUint8Array(this.#outside.length + bytes.length);
    bytesSet(joined, this.#outside);
    bytesSet(joined, bytes, this.#outside.length);
    this.#outside = joined;
  }

  /** The next piece, null where there is none without more input. Throws a TypeError for what is broken. */
  next(): Bytes | null {
    if (this.#phase === 'head') this.#readHead();
    if (this.#phase === 'content') {
      const piece = this.#inflater.next();
      if (piece !== null) {
        const { checksum } = WRAPPINGS[this.#format];
        if (checksum !== null) this.#sum = checksum(this.#sum, piece);
        this.#length += piece.length;
        return piece;
      }
      if (this.#inflater.isAtEnd) {
        this.#outside = this.#inflater.rest();
        this.#phase = 'tail';
      }
    }
    if (this.#phase === 'tail') this.#readTail();
    if (this.#phase === 'end' && this.#outside.length > 0) throw broken('something follows their end');
    return null;
  }

  /** Throws a TypeError where the end has not come. */
  end(): void {
    if (this.#phase !== 'end') throw broken('they end too early');
  }

  #readHead(): void {
    const bytes = this.#outside;
    const length = this.#format === 'gzip' ? gzipHead(bytes) : zlibHead(bytes);
    if (length === null) return;
    this.#outside = new NativeUint8Array(0);
    this.#phase = 'content';
    this.#inflater.put(viewOfBytes(bytes, length, bytes.length));
  }

  #readTail(): void {
    const tail = WRAPPINGS[this.#format].tail(this.#sum, this.#length);
    if (this.#outside.length < tail.length) return;
    for (let at = 0; at < tail.length; at += 1) {
      if (this.#outside[at] !== tail[at]) throw broken('their checksum or length is another');
    }
    this.#outside = viewOfBytes(this.#outside, tail.length, this.#outside.length);
    this.#phase = 'end';
  }
}

/** How long the head is; null while it is not whole. */
function gzipHead(bytes: Uint8Array): number | null {
  const { length } = bytes;
  if (length > 0 && bytes[0] !== 0x1f) throw broken('they are no gzip');
  if (length > 1 && bytes[1] !== 0x8b) throw broken('they are no gzip');
  if (length > 2 && bytes[2] !== 8) throw broken('their method is unknown');
  if (length > 3 && (bytes[3]! & 0xe0) !== 0) throw broken('they have unknown flags');
  if (length < 10) return null;
  const flags = bytes[3]!;
  let at = 10;
  if (flags & 4) {
    if (length < at + 2) return null;
    at += 2 + (bytes[at]! | (bytes[at + 1]! << 8));
  }
  // A name, a comment: text up to a zero.
  for (let flag = 8; flag <= 16; flag *= 2) {
    if ((flags & flag) === 0) continue;
    while (at < length && bytes[at] !== 0) at += 1;
    at += 1;
  }
  if (flags & 2) {
    if (length < at + 2) return null;
    const sum = crc32(0, viewOfBytes(bytes, 0, at)) & 0xffff;
    if (sum !== (bytes[at]! | (bytes[at + 1]! << 8))) throw broken('the checksum of their head is another');
    at += 2;
  }
  return at <= length ? at : null;
}

function zlibHead(bytes: Uint8Array): number | null {
  if (bytes.length > 0 && ((bytes[0]! & 0x0f) !== 8 || bytes[0]! >>> 4 > 7)) throw broken('their method is unknown');
  if (bytes.length < 2) return null;
  if (((bytes[0]! << 8) | bytes[1]!) % 31 !== 0) throw broken('the check of their head fails');
  if (bytes[1]! & 0x20) throw broken('they need a dictionary');
  return 2;
}
