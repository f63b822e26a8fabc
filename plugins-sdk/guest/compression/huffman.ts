import {
  arrayPush,
  arraySort,
  NativeTypeError,
  NativeUint8Array,
  NativeUint16Array,
  NativeUint32Array,
} from '../primordials.ts';

const BITS_MAX = 15;

/** The first code of each length, canonically (RFC 1951, section 3.2.2). */
function firstCodes(lengths: Uint8Array): Uint16Array {
  const counts = new NativeUint16Array(BITS_MAX + 1);
  for (let at = 0; at < lengths.length; at += 1) if (lengths[at]! > 0) counts[lengths[at]!]! += 1;
  const next = new NativeUint16Array(BITS_MAX + 2);
  let code = 0;
  for (let bits = 1; bits <= BITS_MAX; bits += 1) {
    next[bits] = code;
    code = (code + counts[bits]!) << 1;
  }
  return next;
}

/** Huffman codes are written with their first bit first, everything else with the last. */
function reversed(code: number, bits: number): number {
  let from = code;
  let to = 0;
  for (let bit = 0; bit < bits; bit += 1) {
    to = (to << 1) | (from & 1);
    from >>>= 1;
  }
  return to;
}

/** The code of each symbol as it is written. */
export function codesOf(lengths: Uint8Array): Uint16Array {
  const next = firstCodes(lengths);
  const codes = new NativeUint16Array(lengths.length);
  for (let at = 0; at < lengths.length; at += 1) {
    const bits = lengths[at]!;
    if (bits === 0) continue;
    codes[at] = reversed(next[bits]!, bits);
    next[bits]! += 1;
  }
  return codes;
}

export interface DecodeTable {
  /** By the next `bits` bits: symbol << 4 | length of its code; 0 for none. */
  readonly entries: Uint16Array;
  readonly bits: number;
}

/** Throws a TypeError for lengths that no code can have. */
export function decodeTable(lengths: Uint8Array): DecodeTable {
  let bits = 1;
  let used = 0;
  let space = 0;
  for (let at = 0; at < lengths.length; at += 1) {
    const length = lengths[at]!;
    if (length === 0) continue;
    used += 1;
    space += 1 << (BITS_MAX - length);
    if (length > bits) bits = length;
  }
  // A single code may leave the other half of its one bit unused.
  const isWhole = space === 1 << BITS_MAX || used === 0 || (used === 1 && bits === 1);
  if (!isWhole) throw new NativeTypeError('The compressed bytes are broken: a set of codes is impossible');
  const codes = codesOf(lengths);
  const entries = new NativeUint16Array(1 << bits);
  for (let symbol = 0; symbol < lengths.length; symbol += 1) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    const step = 1 << length;
    for (let at = codes[symbol]!; at < entries.length; at += step) entries[at] = (symbol << 4) | length;
  }
  return { entries, bits };
}

/** The lengths of good codes for symbols that come so often; no code is longer than `bitsMax`. */
export function lengthsFor(counts: Uint32Array, bitsMax: number): Uint8Array {
  let weights = counts;
  for (;;) {
    const lengths = new NativeUint8Array(counts.length);
    if (depthsInto(lengths, weights) <= bitsMax) return lengths;
    // Flatter weights make a flatter tree; all equal is flat enough.
    const flatter = new NativeUint32Array(weights.length);
    for (let at = 0; at < weights.length; at += 1) flatter[at] = weights[at] === 0 ? 0 : (weights[at]! >>> 1) | 1;
    weights = flatter;
  }
}

/** Huffman's tree with two queues: the leaves by weight, and the nodes in the order in which they were made. */
function depthsInto(lengths: Uint8Array, weights: Uint32Array): number {
  const leaves: number[] = [];
  for (let at = 0; at < weights.length; at += 1) if (weights[at]! > 0) arrayPush(leaves, at);
  if (leaves.length < 2) {
    if (leaves.length === 1) lengths[leaves[0]!] = 1;
    return leaves.length;
  }
  arraySort(leaves, (a, b) => weights[a]! - weights[b]! || a - b);
  const { length } = leaves;
  const total = length * 2 - 1;
  const weightOf = new NativeUint32Array(total);
  const parent = new NativeUint16Array(total);
  for (let at = 0; at < length; at += 1) weightOf[at] = weights[leaves[at]!]!;
  let leaf = 0;
  let node = length;
  for (let made = length; made < total; made += 1) {
    let weight = 0;
    for (let child = 0; child < 2; child += 1) {
      const isLeaf = leaf < length && (node >= made || weightOf[leaf]! <= weightOf[node]!);
      const taken = isLeaf ? leaf : node;
      if (isLeaf) leaf += 1;
      else node += 1;
      weight += weightOf[taken]!;
      parent[taken] = made;
    }
    weightOf[made] = weight;
  }
  const depth = new NativeUint8Array(total);
  let deepest = 0;
  for (let at = total - 2; at >= 0; at -= 1) {
    depth[at] = depth[parent[at]!]! + 1;
    if (at < length) {
      lengths[leaves[at]!] = depth[at]!;
      if (depth[at]! > deepest) deepest = depth[at]!;
    }
  }
  return deepest;
}
