import { expect } from 'chai';
import { type ApiClient, createApiClient } from '../../plugins-sdk/cli/api-client.ts';
import { tailInstallation } from '../../plugins-sdk/cli/commands/tail.ts';
import { traceInvocation } from '../../plugins-sdk/cli/commands/trace.ts';
import { waterfallOf } from '../../plugins-sdk/cli/waterfall.ts';
import type { Installation, InstallationLogEntry } from '../installations/contract.ts';
import { conformanceSuite } from './conformance-suite.ts';
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
    'GET /speaks': async (_request, ctx) => { await ctx.kv.get('k'); console.warn('spoken'); return 1; },
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
  /** Those that have little time or CPU: what else they did on a busy machine, that could end first. */
  let hasty: Installation;
  let thrifty: Installation;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
    const paths = [...SOURCE.matchAll(/'(GET \/[a-z-]+)'/g)].map(([, key]) => key!);
    const manifest = { ...callerRoutes(...paths), capabilities: [KV], limits: { heapMiB: 16 } };
    wrong = await platform.install({ source: SOURCE, manifest });
    neighbour = await platform.install({ source: SOURCE, manifest });
    hasty = await platform.install({ source: SOURCE, manifest: { ...manifest, limits: { wallMs: 3_000 } } });
    thrifty = await platform.install({ source: SOURCE, manifest: { ...manifest, limits: { cpuMs: 50 } } });
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
  /** Whoever broke a limit runs apart, and a second may be over before there is a cordon for it: then it is asked to come again. */
  const callUntilTaken = async (...[installation, path]: Parameters<TestPlatform['call']>): Promise<Response> => {
    const answer = await platform.call(installation, path);
    const isRefused =
      answer.status === 503 && ((await answer.clone().json()) as { code: string }).code === 'sandbox-saturated';
    return isRefused ? callUntilTaken(installation, path) : answer;
  };
  for (const [path, code, status] of table) {
    it(`is answered with ${code} on ${path}, and its neighbour goes on`, async () => {
      const asked = code === 'wall-limit' ? hasty : code === 'cpu-limit' ? thrifty : wrong;
      const [answer, next] = await Promise.all([callUntilTaken(asked, path), platform.call(neighbour, '/fine')]);
      const problem = await answer.json();
      expect(problem).to.include({ type: `/problems/${code}`, status });
      expect(answer.status).to.equal(status);
      expect(answer.headers.get('content-type')).to.equal('application/problem+json');
      expect(JSON.stringify(problem)).to.not.include('index.ts').and.not.include('    at ');
      expect(next.status).to.equal(200);
      expect(await (await callUntilTaken(asked, '/fine')).json()).to.deep.equal({ ok: true });
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
      const cpu = (await actor.listLogs(thrifty.id, { level: 'error' })).items.find(({ message }) =>
        message.startsWith('cpu-limit'),
      )!;
      expect(cpu.facts).to.have.nested.include({ 'fault.limit': 'cpuMs', 'fault.allowed': 50 });
    }
  });

  it('shows the host calls of a failure, one by one', async () => {
    const answer = await callUntilTaken(wrong, '/asks');
    const trace = await traceInvocation(platform.as.operator)(wrong.id, answer.headers.get('x-gatehouse-invocation')!);
    const { waterfall, wallMs } = waterfallOf(trace.end.facts)!;
    expect(waterfall.calls).to.have.length(100);
    expect(new Set(waterfall.calls.map(({ name }) => name))).to.deep.equal(new Set(['kv.get']));
    const starts = waterfall.calls.map(({ startMs }) => startMs);
    expect(starts).to.deep.equal(starts.toSorted((a, b) => a - b));
    expect(wallMs).to.be.greaterThan(0);
  });

  describe('followed live', () => {
    /** Takes lines until one of them fits; `meanwhile` runs when the stream is open. */
    async function follow(
      actor: ApiClient,
      filter: { level?: 'warn'; outcome?: 'faulted' | 'completed'; after?: string },
      until: (entry: InstallationLogEntry) => boolean,
      meanwhile: () => Promise<unknown>,
    ): Promise<InstallationLogEntry[]> {
      const stop = new AbortController();
      const seen: InstallationLogEntry[] = [];
      const lines = tailInstallation(actor, { installationId: wrong.id, signal: stop.signal, ...filter });
      // Nothing says that a stream is open but what comes through it.
      const calling = setInterval(() => void meanwhile(), 300);
      for await (const entry of lines) {
        seen.push(entry);
        if (until(entry)) break;
      }
      clearInterval(calling);
      stop.abort();
      return seen;
    }

    it('tells what is written and how invocations end, answered ones too, with their calls', async () => {
      const done = (entry: InstallationLogEntry) => entry.message === 'completed: GET /speaks answered 200';
      const seen = await follow(platform.as.operator, {}, done, () => platform.call(wrong, '/speaks'));
      const end = seen.at(-1)!;
      expect(waterfallOf(end.facts)!.waterfall.calls.map(({ name }) => name)).to.deep.equal(['kv.get']);
      const { items } = await platform.as.operator.listLogs(wrong.id, { invocationId: end.invocationId });
      expect(items.map(({ message }) => message)).to.include.members(['spoken', end.message]);
    });

    it('tells only what was asked for, and publishers where their code failed', async () => {
      const call = () => Promise.all(['/speaks', '/throws'].map((path) => platform.call(wrong, path)));
      for (const actor of [platform.as.publisher, platform.as.operator]) {
        const [failed, ...others] = await follow(actor, { outcome: 'faulted', level: 'warn' }, () => true, call);
        expect(others).to.deep.equal([]);
        expect(failed!.message).to.equal('plugin-threw: broken on purpose');
        expect(JSON.stringify(failed).includes('src/index.ts')).to.equal(actor === platform.as.publisher);
      }
    });

    it('tells on one host what is answered by another', async () => {
      const { url } = await platform.startAnotherHost();
      const there = createApiClient({ url, token: platform.credentials.operator });
      const done = (entry: InstallationLogEntry) => entry.message.startsWith('completed: GET /speaks');
      const seen = await follow(there, { outcome: 'completed' }, done, () => platform.call(wrong, '/speaks'));
      expect(seen.at(-1)!.facts).to.include({ outcome: 'completed', status: 200 });
    });

    it('goes on after the last line that was seen, and is for nobody else', async () => {
      const { items } = await platform.as.operator.listLogs(wrong.id, { level: 'error', limit: 3 });
      const [newest, second, third] = items;
      const seen = await follow(
        platform.as.operator,
        { after: third!.id, outcome: 'faulted' },
        ({ id }) => id === newest!.id,
        async () => {},
      );
      expect(seen.map(({ id }) => id)).to.include.members([second!.id, newest!.id]);
      const stranger = await fetch(`${platform.host.url}/v1/installations/${wrong.id}/tail`);
      expect(stranger.status).to.equal(401);
    });
  });

  conformanceSuite(() => platform);
});
