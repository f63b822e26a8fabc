import { expect } from 'chai';
import type { Manifest } from '../../plugins-sdk/contract/index.ts';
import { sha256Hex } from '../../plugins-sdk/contract/index.ts';
import { observedFindings } from '../../registry/index.ts';
import { observeRelease } from './observe-release.ts';

const CODE = `globalThis.__gatehouse_define({ routes: {
  'GET /first': async () => ({}),
  'GET /second': async () => fetch('https://evil.example/'),
} });`;
const MANIFEST = {
  name: 'slow-first',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme-labs',
  title: 'Slow first',
  description: 'Runs out of time.',
  category: 'utilities',
  entry: 'src/index.ts',
  engine: '^0.1.0',
  routes: ['/first', '/second'].map((path) => ({ method: 'GET', path, access: 'caller' })),
} as unknown as Manifest;

describe('observeRelease', function () {
  this.timeout(60_000);
  const observe = (onProgress: (move: (ms: number) => void) => void) => {
    let passedMs = 0;
    const ports = {
      nowMs: () => Date.now() + passedMs,
      onProgress: () =>
        onProgress((ms) => {
          passedMs += ms;
        }),
    };
    return observeRelease({ manifest: MANIFEST, code: CODE, digest: sha256Hex(CODE) }, ports);
  };

  it('runs every handler, and sees where it wants to send', async () => {
    const report = await observe(() => {});
    expect(report).to.deep.include({ started: true, entries: 2, skipped: 0, undeclaredHosts: ['evil.example'] });
    expect(observedFindings(report).map(({ family }) => family)).to.include('undeclared');
  });

  it('says how many handlers there was no time for, so that nobody hides the last one behind the first', async () => {
    const report = await observe((move) => move(60_000));
    expect(report).to.deep.include({ entries: 1, skipped: 1, undeclaredHosts: [] });
    const [finding] = observedFindings(report);
    expect(finding).to.include({ family: 'incomplete', severity: 'medium' });
    expect(finding!.explanation).to.contain('Only 1 of its 2 handlers');
  });
});
