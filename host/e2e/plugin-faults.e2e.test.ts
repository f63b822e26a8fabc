import { expect } from 'chai';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, KV, startTestPlatform, type TestPlatform } from './test-platform.ts';

/** One plugin that can do everything wrong, by path. */
const SOURCE = `
import { definePlugin } from '@gatehouse/plugin-sdk';
const later = () => new Promise((resolve) => setTimeout(resolve, 50));
export default definePlugin({
  routes: {
    'GET /fine': () => ({ ok: true }),
    'GET /throws': () => { throw new TypeError('broken on purpose'); },
    'GET /throws-null': () => { throw null; },
    'GET /returns-nothing': () => undefined as never,
    'GET /huge': () => new Response('x'.repeat(3 * 1024 * 1024)),
    'GET /never': () => new Promise<never>(() => {}),
    'GET /slow': async () => { for (;;) await later(); },
    'GET /spins': () => { for (;;); },
    'GET /spins-later': async () => { await later(); for (;;); },
    'GET /hoards': () => { const all = []; for (;;) all.push(new Array(400_000).fill(all.length + 0.5)); },
    'GET /asks': async (_request, ctx) => { for (let n = 0; n < 200; n++) await ctx.kv.get('k'); return n; },
  },
});
`;

/** From 1. */
const THROWS_LINE = SOURCE.split('\n').findIndex((line) => line.includes('broken on purpose')) + 1;

describe('a plugin that does wrong', () => {
  let platform: TestPlatform;
  let wrong: Installation;
  let neighbour: Installation;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
    const paths = [...SOURCE.matchAll(/'(GET \/[a-z-]+)'/g)].map(([, key]) => key!);
    const manifest = { ...callerRoutes(...paths), capabilities: [KV], limits: { wallMs: 1_000, heapMiB: 16 } };
    wrong = await platform.install({ source: SOURCE, manifest });
    neighbour = await platform.install({ source: SOURCE, manifest });
  });
  after(() => platform.close());

  const table: [path: string, code: string, status: number][] = [
    ['/throws', 'plugin-threw', 502],
    ['/throws-null', 'plugin-threw', 502],
    ['/returns-nothing', 'plugin-answer-invalid', 502],
    ['/huge', 'output-too-large', 502],
    ['/never', 'plugin-never-answered', 502],
    ['/slow', 'wall-limit', 504],
    ['/spins', 'cpu-limit', 502],
    ['/spins-later', 'cpu-limit', 502],
    ['/hoards', 'heap-limit', 502],
    ['/asks', 'host-call-limit', 502],
  ];
  for (const [path, code, status] of table) {
    it(`is answered with ${code} on ${path}, and its neighbour goes on`, async () => {
      const [answer, next] = await Promise.all([platform.call(wrong, path), platform.call(neighbour, '/fine')]);
      const problem = await answer.json();
      expect(problem).to.include({ type: `/problems/${code}`, status });
      expect(answer.status).to.equal(status);
      expect(answer.headers.get('content-type')).to.equal('application/problem+json');
      expect(JSON.stringify(problem)).to.not.include('index.ts').and.not.include('    at ');
      expect(next.status).to.equal(200);
      expect(await (await platform.call(wrong, '/fine')).json()).to.deep.equal({ ok: true });
    });
  }

  it('is shown to its operator and publisher with limit and amount, and to its publisher with the places in its sources', async () => {
    for (const actor of [platform.as.operator, platform.as.publisher]) {
      const { items } = await actor.listLogs(wrong.id, { level: 'error' });
      const threw = items.find(({ message }) => message.includes('broken on purpose'))!;
      expect(threw.facts).to.have.nested.property('fault.name', 'TypeError');
      const { fault } = threw.facts as unknown as { fault: { stack?: string } };
      if (actor === platform.as.operator) expect(JSON.stringify(items)).to.not.match(/index\.ts|bundle\.js|"stack"/);
      else
        expect(fault.stack!.split('\n')[0]).to.match(new RegExp(`^ {4}at .*\\(src/index\\.ts:${THROWS_LINE}:\\d+\\)$`));
      const cpu = items.find(({ message }) => message.startsWith('cpu-limit'))!;
      expect(cpu.facts).to.have.nested.include({ 'fault.limit': 'cpuMs', 'fault.allowed': 50 });
    }
  });
});
