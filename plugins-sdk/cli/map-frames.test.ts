import { expect } from 'chai';
import { mapFrames } from './map-frames.ts';

/** Line 2 of the bundle is line 1 of src/pay.ts; line 1 of the bundle is ours. */
const SOURCE_MAP = JSON.stringify({
  version: 3,
  sources: ['src/pay.ts'],
  names: [],
  // Line 2, column 0 -> source 0, line 1, column 0; column 8 -> line 1, column 4.
  mappings: ';AAAA,QAAI',
});

describe('mapFrames', () => {
  it("names the author's own file, line and column", () => {
    const stack = 'Error: no\n    at pay (bundle.js:2:9)\n    at bundle.js:2:1';
    expect(mapFrames({ stack }, SOURCE_MAP)).to.deep.equal(['pay (src/pay.ts:1:5)', 'src/pay.ts:1:1']);
  });
  it('leaves out frames that are not in the sources', () => {
    expect(mapFrames({ stack: 'Error: no\n    at turn (gatehouse-guest.js:1:1)' }, SOURCE_MAP)).to.deep.equal([]);
  });
  it('has nothing to show without a stack', () => {
    expect(mapFrames({}, SOURCE_MAP)).to.deep.equal([]);
  });
  it('stops after five frames', () => {
    const stack = `Error\n${'    at loop (bundle.js:2:1)\n'.repeat(50)}`;
    expect(mapFrames({ stack }, SOURCE_MAP)).to.have.length(5);
  });
});
