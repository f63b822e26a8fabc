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

describe('observeRelease', () => {
  const observe = (
    onProgress: (move: (ms: number) => void) => void = () => {},
    { manifest = MANIFEST, code = CODE } = {},
  ) => {
    let passedMs = 0;
    const ports = {
      nowMs: () => Date.now() + passedMs,
      onProgress: () =>
        onProgress((ms) => {
          passedMs += ms;
        }),
    };
    return observeRelease({ manifest, code, digest: sha256Hex(code) }, ports);
  };

  it('runs every handler, and sees where it wants to send', async () => {
    const report = await observe();
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

  it('sees a host that nobody declared behind however many that somebody did', async () => {
    const many = (index: number) =>
      `for (let n = 0; n < 18; n += 1) await fetch("https://h${index}-" + n + ".shop.example/");`;
    const bodies = [many(0), many(1), many(2), 'await fetch("https://evil.example/");'];
    const handlers = bodies.map((body, index) => `"GET /${index}": async () => { ${body} }`);
    const report = await observe(undefined, {
      manifest: { ...MANIFEST, fetchHosts: ['*.shop.example'] },
      code: `globalThis.__gatehouse_define({ routes: { ${handlers.join(', ')} } });`,
    });
    expect(report.hosts.length).to.be.greaterThan(50);
    expect(report.undeclaredHosts).to.deep.equal(['evil.example']);
  });
});
