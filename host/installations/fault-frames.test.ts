import { expect } from 'chai';
import { RegistryRefusal } from '../../registry/index.ts';
import type { InstallationLogEntry } from './contract.ts';
import { createFaultFrames } from './fault-frames.ts';

/** Line 1 of the bundle is line 1 of src/pay.ts. */
const SOURCE_MAP = JSON.stringify({ version: 3, sources: ['src/pay.ts'], names: [], mappings: 'AAAA' });
const IN_BUNDLE = '    at pay (bundle.js:1:1)';
const IN_SOURCE = '    at pay (src/pay.ts:1:1)';

const entryOf = (stack: string | undefined, source: InstallationLogEntry['source'] = 'host') => ({
  at: '2026-01-02T03:04:05.678Z',
  invocationId: 'i',
  source,
  level: 'error' as const,
  message: 'plugin-threw: no',
  facts: { kind: 'http', fault: { code: 'plugin-threw', message: 'no', ...(stack !== undefined && { stack }) } },
});

const releaseOf = (releaseId: string) => ({ releaseId, bundleDigest: 'same' });

function faultFrames(load: (releaseId: string) => string | null = () => SOURCE_MAP) {
  const loads: string[] = [];
  let nowMs = 0;
  const showFrames = createFaultFrames({
    nowMs: () => nowMs,
    loadSourceMap: async ({ releaseId }) => {
      loads.push(releaseId);
      return load(releaseId);
    },
  });
  const shown = async (digest: string, stack = IN_BUNDLE) =>
    (await showFrames(entryOf(stack), releaseOf(digest))).facts.fault.stack;
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { showFrames, shown, loads, pass };
}

describe('createFaultFrames', () => {
  it('shows where a fault happened in the sources, and changes nothing else', async () => {
    const { showFrames } = faultFrames();
    expect(await showFrames(entryOf(IN_BUNDLE), releaseOf('d'))).to.deep.equal(entryOf(IN_SOURCE));
  });

  it('asks for no map where there is nothing to map', async () => {
    const { showFrames, loads } = faultFrames();
    const others = [entryOf(undefined), { ...entryOf(''), facts: {} }];
    for (const entry of others) expect(await showFrames(entry, releaseOf('d'))).to.deep.equal(entry);
    expect(loads).to.deep.equal([]);
  });

  it('shows the frames of errors that a plugin wrote down itself, and leaves the rest of the line alone', async () => {
    const { showFrames } = faultFrames();
    const line = (frame: string) => ({
      ...entryOf(undefined, 'log'),
      message: `failed\n${frame}`,
      facts: { n: 1, text: 'x', error: { name: 'E', stack: frame }, list: [IN_BUNDLE] },
    });
    expect(await showFrames(line(IN_BUNDLE), releaseOf('d'))).to.deep.equal(line(IN_SOURCE));
  });

  it('reads the map of a release once', async () => {
    const { shown, loads } = faultFrames();
    for (let n = 0; n < 20; n += 1) expect(await shown('a', `${IN_BUNDLE}\n    at n${n}`)).to.include('src/pay.ts');
    expect(await shown('b')).to.equal(IN_SOURCE);
    expect(loads).to.deep.equal(['a', 'b']);
  });

  it('keeps the frames of the bundle where there is no map, it is broken, or the release is not to be had', async () => {
    const { shown, loads } = faultFrames((digest) => {
      if (digest === 'unknown') throw new RegistryRefusal('release-unknown');
      return digest === 'broken' ? '{' : null;
    });
    for (const digest of ['none', 'broken', 'unknown', 'none', 'broken', 'unknown']) {
      expect(await shown(digest)).to.equal(IN_BUNDLE);
    }
    expect(loads).to.deep.equal(['none', 'broken', 'unknown']);
  });

  it('reads ten maps within ten seconds, and goes on afterwards', async () => {
    const { shown, loads, pass } = faultFrames();
    for (let n = 0; n < 12; n += 1) expect(await shown(`d${n}`)).to.equal(n < 10 ? IN_SOURCE : IN_BUNDLE);
    expect(loads).to.have.length(10);
    pass(10_000);
    expect(await shown('d11')).to.equal(IN_SOURCE);
  });

  it('asks a database that is down once within ten seconds, and has forgotten it afterwards', async () => {
    let down = true;
    const { shown, loads, pass } = faultFrames(() => {
      if (down) throw new Error('connect ECONNREFUSED');
      return SOURCE_MAP;
    });
    for (const digest of ['a', 'a', 'b']) expect(await shown(digest)).to.equal(IN_BUNDLE);
    expect(loads).to.deep.equal(['a']);
    down = false;
    pass(10_000);
    expect(await shown('a')).to.equal(IN_SOURCE);
  });

  it('makes room: a map that was dropped is read again', async () => {
    const large = JSON.stringify({ version: 3, sources: [], names: [], mappings: ';'.repeat(1024 * 1024) });
    const { shown, loads } = faultFrames(() => large);
    for (const digest of ['a', 'b', 'c']) await shown(digest);
    await shown('a', 'another stack');
    expect(loads).to.deep.equal(['a', 'b', 'c', 'a']);
  });
});
