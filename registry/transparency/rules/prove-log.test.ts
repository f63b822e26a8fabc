import { expect } from 'chai';
import fc from 'fast-check';
import {
  appendLeaf,
  EMPTY_ROOT,
  emptyFrontier,
  frontierRoot,
  leafHash,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../../plugins-sdk/contract/index.ts';
import { consistencyRanges, inclusionRanges, type LeafRange, placesOf, rangeHash } from './prove-log.ts';

/** The eight leaves of the test data of Certificate Transparency, with the roots of their trees. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const hex = (text: string) => Buffer.from(text, 'hex');

interface Tree {
  leaves: Buffer[];
  /** By size. */
  roots: Buffer[];
  /** What is stored: complete subtrees. */
  stored: Map<string, Buffer>;
}

function treeOf(contents: (Buffer | string)[]): Tree {
  const frontier = emptyFrontier();
  const tree: Tree = { leaves: [], roots: [EMPTY_ROOT], stored: new Map() };
  for (const content of contents) {
    const leaf = leafHash(content);
    tree.stored.set(`0 ${tree.leaves.length}`, leaf);
    tree.leaves.push(leaf);
    appendLeaf(frontier, leaf, (level, position, hash) => tree.stored.set(`${level} ${position}`, hash));
    tree.roots.push(frontierRoot(frontier));
  }
  return tree;
}

/** As RFC 9162 defines it, by recursion and without any storage. */
function naiveRoot(leaves: Buffer[]): Buffer {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leaves[0]!;
  let power = 1;
  while (power * 2 < leaves.length) power *= 2;
  return nodeHash(naiveRoot(leaves.slice(0, power)), naiveRoot(leaves.slice(power)));
}

const pathOf = ({ stored }: Tree, ranges: LeafRange[]): Buffer[] =>
  ranges.map((range) => rangeHash(placesOf(range).map(({ level, position }) => stored.get(`${level} ${position}`)!)));
const inclusion = (tree: Tree, index: number, size: number) => ({
  leaf: tree.leaves[index]!,
  index,
  size,
  path: pathOf(tree, inclusionRanges(index, size)),
  root: tree.roots[size]!,
});
const consistency = (tree: Tree, first: number, second: number) => ({
  first,
  second,
  firstRoot: tree.roots[first]!,
  secondRoot: tree.roots[second]!,
  path: pathOf(tree, consistencyRanges(first, second)),
});
const flipped = (hash: Buffer, bit: number): Buffer => {
  const changed = Buffer.from(hash);
  changed[Math.floor(bit / 8)]! ^= 1 << (bit % 8);
  return changed;
};

const big = treeOf(Array.from({ length: 300 }, (_, index) => `entry ${index}`));
const SIZE = fc.integer({ min: 1, max: 300 });
const BIT = fc.integer({ min: 0, max: 255 });

describe('the Merkle tree of the transparency log', () => {
  it('has the roots of the known vectors', () => {
    expect(treeOf(LEAVES.map(hex)).roots.map((root) => root.toString('hex'))).to.deep.equal(ROOTS);
  });

  it('makes the proofs of the known vectors', () => {
    const tree = treeOf(LEAVES.map(hex));
    const shown = (path: Buffer[]) => path.map((step) => step.toString('hex'));
    expect(shown(inclusion(tree, 5, 8).path)).to.deep.equal([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
    expect(shown(inclusion(tree, 2, 3).path)).to.deep.equal([
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    ]);
    expect(shown(consistency(tree, 6, 8).path)).to.deep.equal([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
    expect(shown(consistency(tree, 2, 5).path)).to.deep.equal([
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ]);
  });

  it('has the root that the definition gives, for every size', () => {
    for (let size = 0; size <= 300; size += 1) {
      expect(big.roots[size]!.equals(naiveRoot(big.leaves.slice(0, size))), `size ${size}`).to.equal(true);
    }
  });

  it('proves every leaf in a tree of any size', () => {
    for (let size = 1; size <= 130; size += 1) {
      for (let index = 0; index < size; index += 1) {
        expect(verifyInclusion(inclusion(big, index, size)), `${index} of ${size}`).to.equal(true);
      }
    }
    fc.assert(fc.property(SIZE, fc.nat(299), (size, index) => verifyInclusion(inclusion(big, index % size, size))));
  });

  it('proves that every tree is the beginning of every larger one', () => {
    for (let second = 0; second <= 130; second += 1) {
      for (let first = 0; first <= second; first += 1) {
        expect(verifyConsistency(consistency(big, first, second)), `${first} to ${second}`).to.equal(true);
      }
    }
  });

  it('refuses an inclusion proof with any bit changed, anything added or taken away', () => {
    fc.assert(
      fc.property(SIZE, fc.nat(299), fc.nat(), BIT, (size, at, which, bit) => {
        const proof = inclusion(big, at % size, size);
        const parts = [proof.leaf, proof.root, ...proof.path];
        parts[which % parts.length] = flipped(parts[which % parts.length]!, bit);
        const [leaf, root, ...path] = parts as [Buffer, Buffer, ...Buffer[]];
        return (
          !verifyInclusion({ ...proof, leaf, root, path }) &&
          !verifyInclusion({ ...proof, path: [...proof.path, proof.leaf] }) &&
          (proof.path.length === 0 || !verifyInclusion({ ...proof, path: proof.path.slice(0, -1) })) &&
          (proof.path.length === 0 || !verifyInclusion({ ...proof, path: proof.path.slice(1) }))
        );
      }),
    );
  });

  it('refuses the proof of one leaf for another place or another leaf', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(299), fc.nat(299), (size, one, other) => {
        fc.pre(one % size !== other % size);
        const proof = inclusion(big, one % size, size);
        return (
          !verifyInclusion({ ...proof, index: other % size }) &&
          !verifyInclusion({ ...proof, leaf: big.leaves[other % size]! })
        );
      }),
    );
  });

  it('refuses a consistency proof with any bit changed, anything added or taken away', () => {
    fc.assert(
      fc.property(SIZE, fc.nat(299), fc.nat(), BIT, (second, at, which, bit) => {
        const first = (at % second) + 1;
        fc.pre(first < second);
        const proof = consistency(big, first, second);
        const parts = [proof.firstRoot, proof.secondRoot, ...proof.path];
        parts[which % parts.length] = flipped(parts[which % parts.length]!, bit);
        const [firstRoot, secondRoot, ...path] = parts as [Buffer, Buffer, ...Buffer[]];
        return (
          !verifyConsistency({ ...proof, firstRoot, secondRoot, path }) &&
          !verifyConsistency({ ...proof, path: [...proof.path, proof.firstRoot] }) &&
          !verifyConsistency({ ...proof, path: proof.path.slice(0, -1) }) &&
          !verifyConsistency({ ...proof, path: [] })
        );
      }),
    );
  });

  it('refuses to take a log in which one entry was exchanged for the continuation of the old one', () => {
    fc.assert(
      fc.property(SIZE, fc.nat(299), fc.nat(299), (second, at, which) => {
        const first = (at % second) + 1;
        fc.pre(first < second);
        const changed = which % first;
        const rewritten = treeOf(
          Array.from({ length: second }, (_, index) => (index === changed ? 'another' : `entry ${index}`)),
        );
        const { firstRoot } = consistency(big, first, second);
        return !verifyConsistency({ ...consistency(rewritten, first, second), firstRoot });
      }),
      { numRuns: 40 },
    );
  });

  it('refuses sizes and hashes that are none', () => {
    const proof = inclusion(big, 3, 7);
    for (const odd of [-1, 1.5, Number.NaN, 2 ** 53, 7]) {
      expect(verifyInclusion({ ...proof, index: odd })).to.equal(false);
    }
    for (const odd of [-1, 0, 1.5, Number.NaN, 3]) expect(verifyInclusion({ ...proof, size: odd })).to.equal(false);
    expect(verifyInclusion({ ...proof, leaf: Buffer.alloc(31) })).to.equal(false);
    expect(verifyConsistency({ ...consistency(big, 3, 7), first: 8 })).to.equal(false);
    expect(verifyConsistency({ ...consistency(big, 3, 3), path: [big.leaves[0]!] })).to.equal(false);
    expect(verifyConsistency({ ...consistency(big, 0, 7), firstRoot: big.leaves[0]! })).to.equal(false);
  });
});
