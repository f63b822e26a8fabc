import { nodeHash } from '../../../plugins-sdk/contract/index.ts';

/** Leaves from `start` up to, and not including, `end`. The hash of a range is MTH of RFC 9162, 2.1.1. */
export interface LeafRange {
  start: number;
  end: number;
}

/** The root of the complete subtree of 2^level leaves that is the position-th of them; level 0 is a leaf's hash. */
export interface TreePlace {
  level: number;
  position: number;
}

/** The largest power of two that is smaller than `count`, which is 2 or more. */
function split(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Whose hashes make up the inclusion proof of a leaf, from the leaf to the root: PATH of RFC 9162, 2.1.3.1. */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + split(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}

/** Whose hashes prove that the tree of `first` leaves is the beginning of that of `second`: PROOF of RFC 9162, 2.1.4.1. */
export function consistencyRanges(first: number, second: number): LeafRange[] {
  if (first === 0 || first === second) return [];
  const ranges: LeafRange[] = [];
  let [start, end, whole] = [0, second, true];
  // The subtree that both trees have is known to whoever has the first root, as long as it is that whole tree.
  while (first !== end) {
    const middle = start + split(end - start);
    if (first <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
      whole = false;
    }
  }
  if (!whole) ranges.push({ start, end });
  return ranges.reverse();
}

/** The complete subtrees that a range consists of, from left to right; they are stored. A range begins where one of its size may. */
export function placesOf({ start, end }: LeafRange): TreePlace[] {
  const places: TreePlace[] = [];
  let [from, rest] = [start, end - start];
  while (rest > 0) {
    const level = Math.floor(Math.log2(rest));
    const width = 2 ** level;
    places.push({ level, position: from / width });
    from += width;
    rest -= width;
  }
  return places;
}

/** The hash of a range from those of its places. */
export const rangeHash = (hashes: Buffer[]): Buffer => hashes.reduceRight((right, left) => nodeHash(left, right));
