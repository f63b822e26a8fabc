import { bytesSet, copyOfBytes, NativeTypeError, NativeUint8Array, viewOfBytes } from '../primordials.ts';
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
import { type DecodeTable, decodeTable } from './huffman.ts';

/** How much comes out at a time. */
const PIECE_BYTES = 65_536;
const MATCH_MAX = 258;

const broken = (why: string): TypeError => new NativeTypeError(`The compressed bytes are broken: ${why}`);

let fixed: { literals: DecodeTable; distances: DecodeTable } | null = null;

/** What is thrown where the input ends in the middle of something, which is then begun again with more. */
const MORE = {};

/** Reads what RFC 1951 describes, as it comes, and gives pieces of bounded size. */
export class Inflater {
  #input: Uint8Array = new NativeUint8Array(0);
  #at = 0;
  #hold = 0;
  #count = 0;
  /** The window, and behind it what was not given yet. */
  readonly #output = new NativeUint8Array(WINDOW_BYTES + PIECE_BYTES + MATCH_MAX);
  #written = 0;
  #given = 0;
  #phase: 'block' | 'stored' | 'codes' | 'end' = 'block';
  #isLast = false;
  #stored = 0;
  #literals: DecodeTable | null = null;
  #distances: DecodeTable | null = null;

  put(bytes: Uint8Array): void {
    const left = this.#input.length - this.#at;
    if (left === 0) this.#input = bytes;
    else {
      const joined = new NativeUint8Array(left + bytes.length);
      bytesSet(joined, viewOfBytes(this.#input, this.#at, this.#input.length));
      bytesSet(joined, bytes, left);
      this.#input = joined;
    }
    this.#at = 0;
  }

  get isAtEnd(): boolean {
    return this.#phase === 'end';
  }

  /** What was put in behind the end. */
  rest(): Uint8Array {
    const from = this.#at - (this.#count >> 3);
    return viewOfBytes(this.#input, from, this.#input.length);
  }

  /** The next piece, null where there is none without more input or at the end. Throws a TypeError for what is broken. */
  next(): Uint8Array<ArrayBuffer> | null {
    this.#makeRoom();
    while (this.#phase !== 'end' && this.#written - this.#given < PIECE_BYTES) {
      const at = this.#at;
      const hold = this.#hold;
      const count = this.#count;
      try {
        if (this.#phase === 'block') this.#readBlock();
        else if (this.#phase === 'stored') this.#readStored();
        else this.#readCodes();
      } catch (thrown) {
        if (thrown !== MORE) throw thrown;
        // Codes go on where they were; the head of a block begins again.
        if (this.#phase === 'block') {
          this.#at = at;
          this.#hold = hold;
          this.#count = count;
        }
        break;
      }
    }
    if (this.#written === this.#given) return null;
    const piece = copyOfBytes(this.#output, this.#given, this.#written);
    this.#given = this.#written;
    return piece;
  }

  #makeRoom(): void {
    if (this.#written <= WINDOW_BYTES) return;
    bytesSet(this.#output, viewOfBytes(this.#output, this.#written - WINDOW_BYTES, this.#written));
    this.#written = WINDOW_BYTES;
    this.#given = WINDOW_BYTES;
  }

  #bits(wanted: number): number {
    while (this.#count < wanted) {
      if (this.#at >= this.#input.length) throw MORE;
      this.#hold |= this.#input[this.#at]! << this.#count;
      this.#at += 1;
      this.#count += 8;
    }
    const value = this.#hold & ((1 << wanted) - 1);
    this.#hold >>>= wanted;
    this.#count -= wanted;
    return value;
  }

  #symbol({ entries, bits }: DecodeTable): number {
    while (this.#count < bits && this.#at < this.#input.length) {
      this.#hold |= this.#input[this.#at]! << this.#count;
      this.#at += 1;
      this.#count += 8;
    }
    const entry = entries[this.#hold & ((1 << bits) - 1)]!;
    const length = entry & 15;
    if (length === 0 || length > this.#count) {
      if (this.#count < bits) throw MORE;
      throw broken('there is no such code');
    }
    this.#hold >>>= length;
    this.#count -= length;
    return entry >>> 4;
  }

  #readBlock(): void {
    const isLast = this.#bits(1) === 1;
    const kind = this.#bits(2);
    if (kind === 3) throw broken('there is no such kind of block');
    if (kind === 0) {
      this.#bits(this.#count & 7);
      const length = this.#bits(16);
      if (this.#bits(16) !== (~length & 0xffff)) throw broken('a length and its complement differ');
      this.#stored = length;
      this.#phase = 'stored';
    } else {
      if (kind === 1) {
        fixed ??= { literals: decodeTable(fixedLiteralLengths()), distances: decodeTable(fixedDistances()) };
        this.#literals = fixed.literals;
        this.#distances = fixed.distances;
      } else this.#readTables();
      this.#phase = 'codes';
    }
    this.#isLast = isLast;
  }

  #readTables(): void {
    const literalCount = this.#bits(5) + 257;
    const distanceCount = this.#bits(5) + 1;
    const codeCount = this.#bits(4) + 4;
    if (literalCount > 286 || distanceCount > 30) throw broken('there are too many codes');
    const codeLengths = new NativeUint8Array(19);
    for (let at = 0; at < codeCount; at += 1) codeLengths[CODE_ORDER[at]!] = this.#bits(3);
    const table = decodeTable(codeLengths);
    const total = literalCount + distanceCount;
    const lengths = new NativeUint8Array(total);
    for (let at = 0; at < total; ) {
      const symbol = this.#symbol(table);
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) throw broken('the first length repeats another');
      const value = symbol === 16 ? lengths[at - 1]! : 0;
      const times = symbol === 16 ? 3 + this.#bits(2) : symbol === 17 ? 3 + this.#bits(3) : 11 + this.#bits(7);
      if (at + times > total) throw broken('there are too many lengths');
      for (const end = at + times; at < end; at += 1) lengths[at] = value;
    }
    if (lengths[END_OF_BLOCK] === 0) throw broken('a block cannot end');
    this.#literals = decodeTable(viewOfBytes(lengths, 0, literalCount));
    this.#distances = decodeTable(viewOfBytes(lengths, literalCount, total));
  }

  #endBlock(): void {
    this.#phase = this.#isLast ? 'end' : 'block';
    if (this.#isLast) this.#bits(this.#count & 7);
  }

  #readStored(): void {
    while (this.#stored > 0 && this.#written - this.#given < PIECE_BYTES) {
      this.#output[this.#written] = this.#bits(8);
      this.#written += 1;
      this.#stored -= 1;
    }
    if (this.#stored === 0) this.#endBlock();
  }

  #readCodes(): void {
    const output = this.#output;
    while (this.#written - this.#given < PIECE_BYTES) {
      const at = this.#at;
      const hold = this.#hold;
      const count = this.#count;
      try {
        const symbol = this.#symbol(this.#literals!);
        if (symbol < END_OF_BLOCK) {
          output[this.#written] = symbol;
          this.#written += 1;
          continue;
        }
        if (symbol === END_OF_BLOCK) {
          this.#endBlock();
          return;
        }
        this.#copyMatch(symbol - 257);
      } catch (thrown) {
        this.#at = at;
        this.#hold = hold;
        this.#count = count;
        throw thrown;
      }
    }
  }

  #copyMatch(lengthSymbol: number): void {
    if (lengthSymbol > 28) throw broken('there is no such length');
    const length = LENGTH_BASE[lengthSymbol]! + this.#bits(LENGTH_EXTRA[lengthSymbol]!);
    const distanceSymbol = this.#symbol(this.#distances!);
    if (distanceSymbol > 29) throw broken('there is no such distance');
    const distance = DISTANCE_BASE[distanceSymbol]! + this.#bits(DISTANCE_EXTRA[distanceSymbol]!);
    if (distance > this.#written) throw broken('a match lies before the beginning');
    const output = this.#output;
    const from = this.#written - distance;
    for (let at = 0; at < length; at += 1) output[this.#written + at] = output[from + at]!;
    this.#written += length;
  }
}

/** With the two that never come: only 32 codes of five bits are all there are. */
function fixedDistances(): Uint8Array {
  const lengths = new NativeUint8Array(32);
  bytesSet(lengths, fixedDistanceLengths());
  lengths[30] = 5;
  lengths[31] = 5;
  return lengths;
}
