import { expect } from 'chai';
import { heldBodies } from './held-bodies.ts';

describe('Memory of answers that are being read', () => {
  const open = (bytesMax: number) => {
    const hold = heldBodies(bytesMax);
    const given: string[] = [];
    const body = (ownerId: string, name: string, bytes: number) => {
      const held = hold(ownerId, () => given.push(name));
      held.grow(bytes);
      return held;
    };
    return { given, body };
  };

  it('is bounded: whoever holds most loses the largest, whoever comes last', () => {
    const { given, body } = open(100);
    body('greedy', 'small', 20);
    body('greedy', 'large', 30);
    body('modest', 'only', 40);
    expect(given).to.deep.equal([]);
    const late = body('late', 'late', 20);
    expect(given).to.deep.equal(['large']);
    late.grow(60);
    expect(given).to.deep.equal(['large', 'late']);
    late.grow(1_000);
    body('other', 'other', 40);
    expect(given).to.deep.equal(['large', 'late']);
  });

  it('is free again when an answer has ended', () => {
    const { given, body } = open(100);
    for (let each = 0; each < 10; each += 1) {
      const held = body('one', 'each', 100);
      held.release();
      held.release();
    }
    expect(given).to.deep.equal([]);
  });

  it('gives up as many as it takes', () => {
    const { given, body } = open(100);
    for (const name of ['a', 'b', 'c', 'd']) body('greedy', name, 25);
    body('other', 'x', 45);
    expect(given).to.deep.equal(['a', 'b']);
  });
});
