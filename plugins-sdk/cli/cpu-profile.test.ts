import { expect } from 'chai';
import type { RawProfile } from '../../sandbox/workbench/index.ts';
import { readSourceMap } from '../map-frames.ts';
import { hotSpots, mapProfile } from './cpu-profile.ts';

const frame = (functionName: string, url = '', lineNumber = -1, columnNumber = -1) => ({
  functionName,
  scriptId: '7',
  url,
  lineNumber,
  columnNumber,
});

/** root -> work (line 1 of the bundle) -> parse, and root -> (idle) and the process around. */
const profile: RawProfile = {
  startTime: 0,
  endTime: 9_000,
  samples: [4, 2, 3, 3, 5],
  timeDeltas: [1_000, 1_000, 2_000, 1_000, 4_000],
  nodes: [
    { id: 1, children: [2, 4, 5], callFrame: frame('(root)') },
    { id: 2, children: [3], callFrame: frame('work', 'bundle.js', 0, 0) },
    { id: 3, callFrame: frame('parse', 'gatehouse:guest', 9, 9) },
    { id: 4, callFrame: frame('(idle)') },
    { id: 5, callFrame: frame('emit', 'node:events', 1, 1) },
  ],
};
const map = readSourceMap(JSON.stringify({ version: 3, sources: ['src/a b.ts'], names: [], mappings: 'AAEC' }));

describe('mapProfile', () => {
  it('names the places of the sources, and leaves what lies outside of them', () => {
    const { nodes, ...rest } = mapProfile(profile, map, '/home/x');
    expect(nodes[1]!.callFrame).to.deep.equal({ ...frame('work', 'file:///home/x/src/a%20b.ts', 2, 1) });
    expect(nodes.filter((_, index) => index !== 1)).to.deep.equal(profile.nodes.filter((_, index) => index !== 1));
    expect(rest).to.include({ samples: profile.samples, endTime: 9_000 });
    expect(mapProfile(profile, null, '/').nodes).to.deep.equal(profile.nodes);
  });
});

describe('hotSpots', () => {
  it('adds up what each function took itself, and leaves out the process around the plugin', () => {
    const mapped = mapProfile(profile, map, '/home/x');
    expect(hotSpots(mapped, '/home/x', 5)).to.deep.equal([
      { name: 'parse', place: 'Gatehouse', selfMs: 3, share: 0.75 },
      { name: 'work', place: 'src/a b.ts:3', selfMs: 1, share: 0.25 },
    ]);
    expect(hotSpots(mapped, '/home/x', 1)).to.have.length(1);
    const bench = { ...frame('value', 'file:///opt/gatehouse/sandbox/workbench/context-engine.ts', 4, 4) };
    const called = { ...profile, nodes: profile.nodes.with(2, { id: 3, callFrame: bench }) };
    expect(hotSpots(called, '/home/x', 1)[0]).to.include({ name: 'value', place: 'Gatehouse' });
    expect(hotSpots({ nodes: [], startTime: 0, endTime: 0 }, '/', 5)).to.deep.equal([]);
  });
});
