import type { AnyNode } from 'acorn';
import { FUNCTIONS, type ReadCode, textOf, walk } from '../read-code.ts';
import type { Detector } from './detector.ts';
import { pathOf } from './reaching-code.ts';

const POOLS =
  /stratum\+(?:tcp|ssl)|coin-?hive|cryptonight|randomx|minexmr|supportxmr|nicehash|coinimp|webminepool|moneroocean|nanopool|cryptoloot/i;
const CLOCKS = /^(?:Date\.now|performance\.now)$/;
const LOOPS = new Set(['WhileStatement', 'DoWhileStatement', 'ForStatement']);

/** Work that is done for somebody else, and clocks that are read to spy on neighbours. */
export const mining: Detector =
  ({ code, report }) =>
  (node) => {
    const hit = (severity: 'medium' | 'high' | 'blocking', explanation: string) =>
      report({ family: 'mining', severity, at: node.start, explanation });
    if (POOLS.test(textOf(node) ?? '')) {
      hit('blocking', 'It names a mining pool or a mining algorithm.');
    } else if (LOOPS.has(node.type)) {
      const seen = lookInto(code, node);
      if (seen.clockInTest && !seen.awaits)
        hit(isBounded(node) ? 'medium' : 'high', 'It waits by turning, which costs the operator CPU time.');
      else if (seen.clocks >= 2 && !seen.awaits)
        hit('high', 'It measures time again and again within a loop, as attacks on neighbours do.');
      if (seen.nonce && seen.zeros && seen.hashes)
        hit('high', 'It tries numbers until a hash starts with zeros, as miners do.');
    } else if (node.type === 'CallExpression' && pathOf(code, node.callee as AnyNode) === 'Atomics.wait') {
      hit('high', 'It stands still in `Atomics.wait`, with the thread that it runs on.');
    } else if (node.type === 'NewExpression' && code.globalOf(node.callee as AnyNode) === 'SharedArrayBuffer') {
      hit('medium', 'Shared memory makes a clock that is finer than the one that plugins get.');
    }
  };

/** `length <= max && Date.now() <= end`: work with a bound in time, and perhaps no waiting. */
const isBounded = (loop: AnyNode): boolean => {
  const test = 'test' in loop ? (loop.test as AnyNode | null) : null;
  return (
    test?.type === 'LogicalExpression' &&
    [test.left, test.right].every((each) => each.type === 'BinaryExpression' && each.left.type !== 'Literal')
  );
};

/** `hash[0] === 0`. */
const isFirstByteZero = (node: AnyNode): boolean =>
  node.type === 'BinaryExpression' &&
  /^===?$/.test(node.operator) &&
  node.left.type === 'MemberExpression' &&
  [node.left.property, node.right].every((each) => each.type === 'Literal' && each.value === 0);

function lookInto(code: ReadCode, loop: AnyNode) {
  const seen = { clockInTest: false, clocks: 0, awaits: false, nonce: false, zeros: false, hashes: false };
  const test = 'test' in loop ? (loop.test as AnyNode | null) : null;
  walk(loop, (node, ancestors) => {
    // What is awaited in a function that is only made here does not give way.
    const inner = ancestors.some(({ type }) => FUNCTIONS.has(type));
    if (node.type === 'AwaitExpression' && !inner) seen.awaits = true;
    if (node.type === 'CallExpression' && CLOCKS.test(pathOf(code, node.callee as AnyNode))) {
      seen.clocks += 1;
      if (test !== null && node.start >= test.start && node.end <= test.end) seen.clockInTest = true;
    }
    if (node.type === 'Identifier' && /nonce|difficulty/i.test(node.name)) seen.nonce = true;
    if (node.type === 'Identifier' && /^(?:digest|sha\w*|hash\w*|keccak\w*|scrypt|argon2)$/i.test(node.name))
      seen.hashes = true;
    if (node.type === 'Literal' && typeof node.value === 'string' && /^0{3,}$|^0$/.test(node.value)) seen.zeros = true;
    if (node.type === 'Identifier' && /difficulty|target/i.test(node.name)) seen.zeros = true;
    if (isFirstByteZero(node)) seen.zeros = true;
    if (node.type === 'UpdateExpression' && ancestors.at(-1)?.type === 'CallExpression') seen.nonce = true;
  });
  return seen;
}
