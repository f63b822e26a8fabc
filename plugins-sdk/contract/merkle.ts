import { createHash, timingSafeEqual } from 'node:crypto';

/** Hashing of a Merkle tree and its proofs as RFC 9162, section 2.1, has them. All hashes are 32 bytes of SHA-256. */

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);
const HASH_BYTES = 32;

/** The root of a tree without leaves. */
export const EMPTY_ROOT: Buffer = createHash('sha256').digest();

export const leafHash = (content: string | Uint8Array): Buffer =>
  createHash('sha256').update(LEAF).update(content).digest();

export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  createHash('sha256').update(NODE).update(left).update(right).digest();

/** A tree that grows: the roots of its complete subtrees, the largest first, and how many leaves they have together. */
export interface Frontier {
  size: number;
  peaks: Buffer[];
}

export const emptyFrontier = (): Frontier => ({ size: 0, peaks: [] });

/** Adds one leaf in place; `onNode` gets every subtree that it completes, level 1 having two leaves. */
export function appendLeaf(
  frontier: Frontier,
  leaf: Buffer,
  onNode: (level: number, position: number, hash: Buffer) => void = () => {},
): void {
  let [hash, position, level] = [leaf, frontier.size, 0];
  while (position % 2 === 1) {
    hash = nodeHash(frontier.peaks.pop()!, hash);
    position = (position - 1) / 2;
    level += 1;
    onNode(level, position, hash);
  }
  frontier.peaks.push(hash);
  frontier.size += 1;
}

export const frontierRoot = ({ peaks }: Pick<Frontier, 'peaks'>): Buffer =>
  peaks.length === 0 ? EMPTY_ROOT : peaks.reduceRight((right, left) => nodeHash(left, right));

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const areHashes = (hashes: readonly Uint8Array[]): boolean => hashes.every(({ length }) => length === HASH_BYTES);
const same = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other);
const isPowerOfTwo = (value: number): boolean => (BigInt(value) & BigInt(value - 1)) === 0n;
const half = (value: number): number => Math.floor(value / 2);

/** Whether the tree of `size` leaves with this root has `leaf` (a hash) at `index`: RFC 9162, 2.1.3.2. */
export function verifyInclusion(proof: {
  leaf: Uint8Array;
  index: number;
  size: number;
  path: readonly Uint8Array[];
  root: Uint8Array;
}): boolean {
  const { leaf, index, size, path, root } = proof;
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...path])) return false;
  let [node, last, hash] = [index, size - 1, leaf];
  for (const step of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(step, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, step);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && same(hash, root);
}

/** Whether the tree of `second` leaves begins with that of `first` leaves: RFC 9162, 2.1.4.2. */
export function verifyConsistency(proof: {
  first: number;
  second: number;
  firstRoot: Uint8Array;
  secondRoot: Uint8Array;
  path: readonly Uint8Array[];
}): boolean {
  const { first, second, firstRoot, secondRoot, path } = proof;
  if (!isCount(first) || !isCount(second) || first > second || !areHashes([firstRoot, secondRoot, ...path])) {
    return false;
  }
  if (first === second) return path.length === 0 && same(firstRoot, secondRoot);
  if (first === 0) return path.length === 0 && same(firstRoot, EMPTY_ROOT);
  // A complete first tree is itself the first step.
  const steps = isPowerOfTwo(first) ? [firstRoot, ...path] : [...path];
  if (path.length === 0) return false;
  let [node, last] = [first - 1, second - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [ofFirst, ofSecond] = [steps[0]!, steps[0]!];
  for (const step of steps.slice(1)) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      ofFirst = nodeHash(step, ofFirst);
      ofSecond = nodeHash(step, ofSecond);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      ofSecond = nodeHash(ofSecond, step);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && same(ofFirst, firstRoot) && same(ofSecond, secondRoot);
}
