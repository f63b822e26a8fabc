import {
  bytesSet,
  max,
  min,
  NativeUint8Array,
  NativeUint16Array,
  NativeUint32Array,
  typedArrayBuffer,
  viewOfBytes,
} from '../primordials.ts';
import {
  CODE_ORDER,
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  END_OF_BLOCK,
  fixedDistanceLengths,
  fixedLiteralLengths,
  LENGTH_BASE,
  LENGTH_EXTRA,
  WINDOW_BYTES,
} from './alphabet.ts';
import { BitWriter } from './bit-writer.ts';
import { codesOf, lengthsFor } from './huffman.ts';

const BLOCK_BYTES = 49_152;
const HASHES = 32_768;
const SMALL_BYTES = 2_048;
const NONE = 0xffff_ffff;
/** How many earlier places are compared with; more finds longer matches and takes longer. */
const CHAIN_MAX = 32;
const MATCH_MAX = 258;
/** A match as long as this is taken without looking whether the next byte begins a longer one. */
const GOOD_MATCH = 32;
const IS_MATCH = 0x8000_0000;

/** For each length - 3 and each small distance, which of the bases it belongs to. */
const lengthSymbol = new NativeUint8Array(256);
for (let symbol = 0; symbol < 29; symbol += 1) {
  const from = LENGTH_BASE[symbol]! - 3;
  const to = symbol === 28 ? 256 : LENGTH_BASE[symbol + 1]! - 3;
  for (let at = from; at < to && at < 256; at += 1) lengthSymbol[at] = symbol;
}
function distanceSymbol(distance: number): number {
  let low = 0;
  let high = 29;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (DISTANCE_BASE[middle]! <= distance) low = middle;
    else high = middle - 1;
  }
  return low;
}

interface Codes {
  readonly literals: Uint8Array;
  readonly distances: Uint8Array;
}

let fixed: Codes | null = null;
function fixedCodes(): Codes {
  fixed ??= { literals: fixedLiteralLengths(), distances: fixedDistanceLengths() };
  return fixed;
}

/** Compresses as RFC 1951 says, block by block. */
export class Deflater {
  /** The window before the block, and the block. */
  #data = new NativeUint8Array(SMALL_BYTES);
  #history = 0;
  #filled = 0;
  /** The last place of each hash, and of each place the one before it with the same hash. */
  #head = new NativeUint32Array(0);
  #previous = new NativeUint32Array(0);
  #tokens = new NativeUint32Array(0);
  readonly #writer = new BitWriter();

  /** Takes as much as there is room for in the block and says how much. */
  take(bytes: Uint8Array, from: number): number {
    const count = min(bytes.length - from, BLOCK_BYTES - (this.#filled - this.#history));
    this.#makeRoom(this.#filled + count);
    bytesSet(this.#data, viewOfBytes(bytes, from, from + count), this.#filled);
    this.#filled += count;
    return count;
  }

  get isFull(): boolean {
    return this.#filled - this.#history === BLOCK_BYTES;
  }

  /** Writes the block, and the end after the last one. */
  write(isLast: boolean): Uint8Array<ArrayBuffer> {
    const from = this.#history;
    const to = this.#filled;
    const count = this.#tokenise(from, to);
    this.#writeBlock(viewOfBytes(this.#data, from, to), count, isLast);
    if (isLast) this.#writer.align();
    this.#slide();
    return this.#writer.take();
  }

  /** Most answers are small: they get small arrays, and a small table to be emptied. */
  #makeRoom(needed: number): void {
    if (needed <= this.#data.length) return;
    const data = new NativeUint8Array(needed <= SMALL_BYTES * 4 ? SMALL_BYTES * 4 : WINDOW_BYTES + BLOCK_BYTES);
    bytesSet(data, viewOfBytes(this.#data, 0, this.#filled));
    this.#data = data;
  }

  #prepare(): void {
    const capacity = this.#data.length;
    if (this.#previous.length < capacity) {
      this.#previous = new NativeUint32Array(capacity);
      this.#tokens = new NativeUint32Array(min(capacity, BLOCK_BYTES));
      this.#head = new NativeUint32Array(capacity > SMALL_BYTES ? HASHES : SMALL_BYTES);
    }
    const head = this.#head;
    for (let at = 0; at < head.length; at += 1) head[at] = NONE;
  }

  #slide(): void {
    const kept = min(this.#filled, WINDOW_BYTES);
    bytesSet(this.#data, viewOfBytes(this.#data, this.#filled - kept, this.#filled));
    this.#history = kept;
    this.#filled = kept;
  }

  #hash(at: number): number {
    const data = this.#data;
    return (((data[at]! << 10) ^ (data[at + 1]! << 5) ^ data[at + 2]!) * 40_503) & (this.#head.length - 1);
  }

  #insert(at: number): void {
    const hash = this.#hash(at);
    this.#previous[at] = this.#head[hash]!;
    this.#head[hash] = at;
  }

  /** The longest match for what is at `at`, as distance * 512 + length; 0 for none of three bytes. */
  #match(at: number, to: number): number {
    const data = this.#data;
    const most = min(MATCH_MAX, to - at);
    const least = max(0, at - WINDOW_BYTES);
    let best = 2;
    let bestAt = 0;
    let candidate = this.#head[this.#hash(at)]!;
    for (let tries = 0; tries < CHAIN_MAX && candidate !== NONE && candidate >= least; tries += 1) {
      if (data[candidate + best] === data[at + best]) {
        let length = 0;
        while (length < most && data[candidate + length] === data[at + length]) length += 1;
        if (length > best) {
          best = length;
          bestAt = candidate;
          if (length === most) break;
        }
      }
      candidate = this.#previous[candidate]!;
    }
    return best < 3 ? 0 : (at - bestAt) * 512 + best;
  }

  #tokenise(from: number, to: number): number {
    this.#prepare();
    const tokens = this.#tokens;
    for (let at = 0; at < from && at + 2 < to; at += 1) this.#insert(at);
    let count = 0;
    let at = from;
    while (at < to) {
      let found = at + 2 < to ? this.#match(at, to) : 0;
      if (at + 2 < to) this.#insert(at);
      // What begins at the next byte may be worth more.
      while (found !== 0 && (found & 511) < GOOD_MATCH && at + 3 < to) {
        const later = this.#match(at + 1, to);
        if ((later & 511) <= (found & 511)) break;
        tokens[count++] = this.#data[at]!;
        at += 1;
        this.#insert(at);
        found = later;
      }
      if (found === 0) {
        tokens[count++] = this.#data[at]!;
        at += 1;
        continue;
      }
      const length = found & 511;
      tokens[count++] = (IS_MATCH | ((length - 3) << 16) | (found / 512 - 1)) >>> 0;
      const end = at + length;
      for (at += 1; at < end; at += 1) if (at + 2 < to) this.#insert(at);
    }
    return count;
  }

  #writeBlock(raw: Uint8Array, count: number, isLast: boolean): void {
    const literalCounts = new NativeUint32Array(286);
    const distanceCounts = new NativeUint32Array(30);
    let extraBits = 0;
    for (let at = 0; at < count; at += 1) {
      const token = this.#tokens[at]!;
      if (token < IS_MATCH) literalCounts[token]! += 1;
      else {
        const length = lengthSymbol[(token >>> 16) & 0xff]!;
        const distance = distanceSymbol((token & 0x7fff) + 1);
        literalCounts[257 + length]! += 1;
        distanceCounts[distance]! += 1;
        extraBits += LENGTH_EXTRA[length]! + DISTANCE_EXTRA[distance]!;
      }
    }
    literalCounts[END_OF_BLOCK] = 1;
    const own = { literals: lengthsFor(literalCounts, 15), distances: lengthsFor(distanceCounts, 15) };
    const header = headerOf(own);
    const ownBits =
      header.bits + bitsOf(literalCounts, own.literals) + bitsOf(distanceCounts, own.distances) + extraBits;
    const { literals, distances } = fixedCodes();
    const fixedBits = bitsOf(literalCounts, literals) + bitsOf(distanceCounts, distances) + extraBits;
    const storedBits = raw.length * 8 + 32 + 7;
    const writer = this.#writer;
    writer.put(isLast ? 1 : 0, 1);
    if (storedBits < ownBits && storedBits < fixedBits) {
      writer.put(0, 2);
      writer.align();
      writer.put(raw.length, 16);
      writer.put(~raw.length & 0xffff, 16);
      writer.bytes(raw);
    } else if (fixedBits <= ownBits) {
      writer.put(1, 2);
      this.#writeTokens(count, fixedCodes());
    } else {
      writer.put(2, 2);
      header.write(writer);
      this.#writeTokens(count, own);
    }
  }

  #writeTokens(count: number, { literals, distances }: Codes): void {
    const writer = this.#writer;
    const literalCodes = codesOf(literals);
    const distanceCodes = codesOf(distances);
    for (let at = 0; at < count; at += 1) {
      const token = this.#tokens[at]!;
      if (token < IS_MATCH) {
        writer.put(literalCodes[token]!, literals[token]!);
        continue;
      }
      const length = ((token >>> 16) & 0xff) + 3;
      const distance = (token & 0x7fff) + 1;
      const lengthAt = lengthSymbol[length - 3]!;
      const distanceAt = distanceSymbol(distance);
      writer.put(literalCodes[257 + lengthAt]!, literals[257 + lengthAt]!);
      writer.put(length - LENGTH_BASE[lengthAt]!, LENGTH_EXTRA[lengthAt]!);
      writer.put(distanceCodes[distanceAt]!, distances[distanceAt]!);
      writer.put(distance - DISTANCE_BASE[distanceAt]!, DISTANCE_EXTRA[distanceAt]!);
    }
    writer.put(literalCodes[END_OF_BLOCK]!, literals[END_OF_BLOCK]!);
  }
}

function bitsOf(counts: Uint32Array, lengths: Uint8Array): number {
  let bits = 0;
  for (let at = 0; at < counts.length; at += 1) bits += counts[at]! * lengths[at]!;
  return bits;
}

interface Header {
  bits: number;
  write(writer: BitWriter): void;
}

/** The lengths of a block's own codes, as runs that have codes themselves (section 3.2.7). */
function headerOf({ literals, distances }: Codes): Header {
  let literalCount = 286;
  while (literalCount > 257 && literals[literalCount - 1] === 0) literalCount -= 1;
  let distanceCount = 30;
  while (distanceCount > 1 && distances[distanceCount - 1] === 0) distanceCount -= 1;
  const all = new NativeUint8Array(literalCount + distanceCount);
  bytesSet(all, viewOfBytes(literals, 0, literalCount));
  bytesSet(all, viewOfBytes(distances, 0, distanceCount), literalCount);
  const runs = runsOf(all);
  const counts = new NativeUint32Array(19);
  for (let at = 0; at < runs.length; at += 1) counts[runs[at]! & 0x1f]! += 1;
  const lengths = lengthsFor(counts, 7);
  let codeCount = 19;
  while (codeCount > 4 && lengths[CODE_ORDER[codeCount - 1]!] === 0) codeCount -= 1;
  const codes = codesOf(lengths);
  let bits = 14 + codeCount * 3;
  for (let at = 0; at < runs.length; at += 1) bits += lengths[runs[at]! & 0x1f]! + runBits(runs[at]! & 0x1f);
  return {
    bits,
    write: (writer) => {
      writer.put(literalCount - 257, 5);
      writer.put(distanceCount - 1, 5);
      writer.put(codeCount - 4, 4);
      for (let at = 0; at < codeCount; at += 1) writer.put(lengths[CODE_ORDER[at]!]!, 3);
      for (let at = 0; at < runs.length; at += 1) {
        const symbol = runs[at]! & 0x1f;
        writer.put(codes[symbol]!, lengths[symbol]!);
        writer.put(runs[at]! >>> 5, runBits(symbol));
      }
    },
  };
}

const runBits = (symbol: number): number => (symbol === 16 ? 2 : symbol === 17 ? 3 : symbol === 18 ? 7 : 0);

/** Symbol, and above its five bits the extra ones. */
function runsOf(lengths: Uint8Array): Uint16Array {
  const runs = new NativeUint16Array(lengths.length);
  let count = 0;
  for (let at = 0; at < lengths.length; ) {
    const value = lengths[at]!;
    let run = 1;
    while (at + run < lengths.length && lengths[at + run] === value) run += 1;
    at += run;
    if (value === 0) {
      while (run >= 11) {
        const part = min(run, 138);
        runs[count++] = 18 | ((part - 11) << 5);
        run -= part;
      }
      if (run >= 3) {
        runs[count++] = 17 | ((run - 3) << 5);
        run = 0;
      }
    } else {
      runs[count++] = value;
      run -= 1;
      while (run >= 3) {
        const part = min(run, 6);
        runs[count++] = 16 | ((part - 3) << 5);
        run -= part;
      }
    }
    for (; run > 0; run -= 1) runs[count++] = value;
  }
  return new NativeUint16Array(typedArrayBuffer(runs), 0, count);
}
