import { expect } from 'chai';
import { mapFrames, mapStack, readSourceMap } from './map-frames.ts';

/** Line 2 of the bundle is line 1 of src/pay.ts; line 1 of the bundle is ours. */
const MAP = {
  version: 3,
  sources: ['src/pay.ts'],
  names: [],
  // Line 2, column 0 -> source 0, line 1, column 0; column 8 -> line 1, column 4.
  mappings: ';AAAA,QAAI',
};
const SOURCE_MAP = JSON.stringify(MAP);
const changed = (change: object) => JSON.stringify({ ...MAP, ...change });

describe('mapFrames', () => {
  it("names the author's own file, line and column", () => {
    const stack = 'Error: no\n    at pay (bundle.js:2:9)\n    at bundle.js:2:1';
    expect(mapFrames({ stack }, SOURCE_MAP)).to.deep.equal(['pay (src/pay.ts:1:5)', 'src/pay.ts:1:1']);
  });
  it('leaves out frames that are not in the sources', () => {
    expect(mapFrames({ stack: 'Error: no\n    at turn (gatehouse-guest.js:1:1)' }, SOURCE_MAP)).to.deep.equal([]);
  });
  it('has nothing to show without a stack, or without a map that can be read', () => {
    expect(mapFrames({}, SOURCE_MAP)).to.deep.equal([]);
    expect(mapFrames({ stack: '    at bundle.js:2:1' }, '{')).to.deep.equal([]);
  });
  it('stops after five frames', () => {
    const stack = `Error\n${'    at loop (bundle.js:2:1)\n'.repeat(50)}`;
    expect(mapFrames({ stack }, SOURCE_MAP)).to.have.length(5);
  });
});

describe('mapStack', () => {
  const mapped = (stack: string, sourceMap = SOURCE_MAP) => mapStack(stack, readSourceMap(sourceMap)!);

  it('puts the places of the sources where the places in the bundle were, and leaves every other line', () => {
    const stack = [
      '    at async Shop.pay (bundle.js:2:9)',
      '    at bundle.js:2:1',
      '    at Array.map (<anonymous>)',
      '    at later (bundle.js:900:1)',
      'Caused by: Error: bundle.js:2:9',
      '    at new Shop (/somewhere/bundle.js:2:10)',
    ].join('\n');
    expect(mapped(stack).split('\n')).to.deep.equal([
      '    at async Shop.pay (src/pay.ts:1:5)',
      '    at src/pay.ts:1:1',
      '    at Array.map (<anonymous>)',
      '    at later (bundle.js:900:1)',
      'Caused by: Error: bundle.js:2:9',
      '    at new Shop (src/pay.ts:1:5)',
    ]);
  });
  it('leaves places that no engine writes', () => {
    for (const place of ['bundle.js:0:0', `bundle.js:${'9'.repeat(400)}:1`, 'bundle.js:2:-1', 'bundle.js:2']) {
      expect(mapped(`    at ${place}`)).to.equal(`    at ${place}`);
    }
  });
  it('maps fifty lines and no line of more than 1,024 characters', () => {
    const lines = mapped(Array(60).fill('    at bundle.js:2:1').join('\n')).split('\n');
    expect(lines.filter((line) => line.includes('src/pay.ts'))).to.have.length(50);
    const long = `    at ${'x'.repeat(1_100)} (bundle.js:2:1)`;
    expect(mapped(long)).to.equal(long);
  });
  it('leaves a frame as it is whose source cannot be shown', () => {
    const odd = ['a\n    at admin.ts', '\u202ecod.ts', 'x'.repeat(300), '', 7, null];
    for (const source of odd) {
      expect(mapped('    at bundle.js:2:1', changed({ sources: [source] }))).to.equal('    at bundle.js:2:1');
    }
    expect(mapped('    at bundle.js:2:1', changed({ mappings: ';A/////D' }))).to.equal('    at bundle.js:2:1');
  });
  it('takes no notice of a source root', () => {
    const place = mapped('    at bundle.js:2:1', changed({ sourceRoot: 'x'.repeat(100_000) }));
    expect(place).to.equal('    at src/pay.ts:1:1');
  });
});

describe('readSourceMap', () => {
  it('reads no map that is malformed', () => {
    const sections = [{ offset: { line: 0, column: 0 }, map: MAP }];
    const malformed = ['', '{', 'null', '7', '[]', '{}', changed({ sources: 'a' }), changed({ mappings: [[[0]]] })];
    for (const json of [...malformed, JSON.stringify({ version: 3, sections }), '['.repeat(1024 * 1024)]) {
      expect(readSourceMap(json), json.slice(0, 50)).to.equal(null);
    }
  });
  it('reads mappings of any characters', () => {
    for (const mappings of ['', '!!!!', '\u0000,\uffff;', 'gggggggg', 'A,'.repeat(1_000)]) {
      expect(readSourceMap(changed({ mappings })), mappings.slice(0, 8)).to.include({ weight: mappings.length });
    }
  });
  it('reads no map that is too large, has too many mappings or too many sources', () => {
    const huge = changed({ sourcesContent: ['x'.repeat(2 * 1024 * 1024)] });
    const many = changed({ mappings: ';'.repeat(1024 * 1024 + 1) });
    const crowded = changed({ sources: Array(5_000).fill('a') });
    expect([huge, many, crowded].map(readSourceMap)).to.deep.equal([null, null, null]);
  });
});
