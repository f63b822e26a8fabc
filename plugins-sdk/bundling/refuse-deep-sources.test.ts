import { expect } from 'chai';
import fc from 'fast-check';
import { isTooDeep } from './refuse-deep-sources.ts';

describe('isTooDeep', () => {
  it('finds brackets that stay open, of every kind, and no others', () => {
    const nested = (depth: number, [open, close]: string) => open!.repeat(depth) + close!.repeat(depth);
    for (const pair of ['()', '[]', '{}']) {
      expect(isTooDeep(nested(5_000, pair)), pair).to.equal(true);
      expect(isTooDeep(nested(1_900, pair) + ' '.repeat(9_000)), pair).to.equal(false);
    }
    expect(isTooDeep('(a)[b]{c}'.repeat(20_000))).to.equal(false);
    expect(isTooDeep(')'.repeat(50_000) + '()'.repeat(10))).to.equal(false);
  });

  it('does not count what stands in strings', () => {
    expect(isTooDeep(`const sad = [${`":(", '\\'(', `.repeat(5_000)}];`)).to.equal(false);
    expect(isTooDeep(`// don't\n`.repeat(1_000) + '('.repeat(5_000))).to.equal(true);
    expect(isTooDeep("f(/* don't */)\n".repeat(5_000))).to.equal(false);
  });

  it('lets every document pass that is as deep as documents are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 12 }), (value) => {
        expect(isTooDeep(JSON.stringify(Array.from({ length: 300 }, () => value)))).to.equal(false);
      }),
      { numRuns: 200 },
    );
  });
});
