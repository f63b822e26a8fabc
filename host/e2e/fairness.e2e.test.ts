import { expect } from 'chai';
import type { Limits } from '../../plugins-sdk/contract/index.ts';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, codeOf, KV, startTestPlatform, type TestPlatform } from './test-platform.ts';

const SOURCE = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  hooks: { 'order.paid': () => ({ seen: true }) },
  routes: {
    'GET /fine': () => ({ ok: true }),
    'GET /spins': () => { for (;;); },
    'GET /holds': async (_request, ctx) => {
      await ctx.kv.increment('holding');
      while (!(await ctx.kv.get('go'))) await new Promise((resolve) => setTimeout(resolve, 20));
      return { ok: true };
    },
  },
});
`;
const MANIFEST = {
  ...callerRoutes('GET /fine', 'GET /spins', 'GET /holds'),
  hooks: ['order.paid' as const],
  capabilities: [KV],
  limits: { hostCalls: 1_000, timers: 1_000 },
};

describe('sharing a host', () => {
  let platform: TestPlatform;
  let neighbour: Installation;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1' });
    neighbour = await platform.install({ source: SOURCE, manifest: MANIFEST });
  });
  after(() => platform.close());

  const withLimits = async (limits: Partial<Limits>) => {
    const installation = await platform.install({ source: SOURCE, manifest: MANIFEST });
    return platform.as.operator.updateInstallation(installation.id, { limits });
  };
  const metricsText = async () => {
    const headers = { authorization: `Bearer ${platform.credentials.admin}` };
    return (await fetch(`${platform.host.url}/metrics`, { headers })).text();
  };
  const until = async (holds: () => Promise<boolean>) => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it('refuses a plugin that used up its CPU time, on routes and hooks alike, and nobody else', async () => {
    // A millisecond a second: the debt of one spinning invocation takes longer to pay back than this test takes.
    const greedy = await withLimits({ cpuMs: 100, cpuMsPerSecond: 1, cpuBurstMs: 30 });
    expect(await codeOf(await platform.call(greedy, '/spins'))).to.equal('cpu-limit');

    const refused = await platform.call(greedy, '/fine');
    expect(refused.status).to.equal(429);
    const problem = (await refused.json()) as Record<string, number>;
    expect(problem).to.include({ code: 'cpu-budget-exhausted', limit: 'cpuBurstMs', allowed: 30, cpuMsPerSecond: 1 });
    expect(problem.used).to.be.at.least(50);
    expect(Number(refused.headers.get('retry-after'))).to.equal(Math.ceil(problem.retryAfterMs! / 1_000));
    const hook = await fetch(`${platform.host.url}/v1/installations/${greedy.id}/hooks/order.paid`, {
      method: 'POST',
      headers: { authorization: `Bearer ${platform.credentials.operator}`, 'content-type': 'application/json' },
      body: JSON.stringify({ eventId: 'e-1', payload: { orderId: 'o-1', lines: [{ sku: 'a', quantity: 1 }] } }),
    });
    expect(hook.status).to.equal(429);
    expect((await platform.call(neighbour, '/fine')).status).to.equal(200);

    const { items } = await platform.as.publisher.listLogs(greedy.id, { level: 'warn' });
    // In one line or two: the host writes from time to time how many it refused.
    const told = items.filter(({ message }) => message.startsWith('cpu-budget-exhausted'));
    const facts = told.map((line) => line.facts as { code: string; invocations: number });
    expect(facts[0]!.code).to.equal('cpu-budget-exhausted');
    expect(facts.reduce((sum, { invocations }) => sum + invocations, 0)).to.equal(2);
    expect(await metricsText()).to.include('gatehouse_invocation_refusals_total{code="cpu-budget-exhausted"} 2');

    await platform.as.operator.updateInstallation(greedy.id, { limits: { cpuMsPerSecond: 4_000 } });
    await until(async () => (await platform.call(greedy, '/fine')).status === 200);
  });

  it('lets calls wait for their turn, refuses those beyond the queue, and answers each that waited', async () => {
    const narrow = await withLimits({ concurrent: 1, queued: 1 });
    const { knex } = platform.database;
    const first = platform.call(narrow, '/holds');
    await until(
      async () => (await knex('kv_entries').where({ installation_id: narrow.id, key: 'holding' })).length === 1,
    );

    // Of two more, one waits and one finds the queue full; it is the only one that is answered before the first ends.
    const more = [platform.call(narrow, '/holds'), platform.call(narrow, '/holds')];
    const refused = await Promise.race(more);
    expect(refused.status).to.equal(429);
    expect(refused.headers.get('retry-after')).to.equal('1');
    expect(await refused.json()).to.include({ code: 'installation-saturated', limit: 'queued', allowed: 1 });
    expect((await platform.call(neighbour, '/fine')).status).to.equal(200);

    await knex('kv_entries').insert({ installation_id: narrow.id, key: 'go', value: 'true', version: 1 });
    const statuses = (await Promise.all([first, ...more])).map(({ status }) => status);
    expect(statuses.sort()).to.deep.equal([200, 200, 429]);
    await until(async () => {
      const rows = await knex('usage').where({ installation_id: narrow.id });
      return rows.some(({ queued_ms, wall_ms }) => queued_ms > 0 && queued_ms < wall_ms);
    });
    // What was used before, when it was installed, may have been written first.
    const counted = () => knex('usage_refusals').where({ installation_id: narrow.id });
    await until(async () => (await counted()).length > 0);
    const refusals = await counted();
    expect(refusals.map(({ code, invocations }) => [code, Number(invocations)])).to.deep.equal([
      ['installation-saturated', 1],
    ]);
  });
});

describe('a host whose event loop is late', () => {
  let platform: TestPlatform;
  let fine: Installation;
  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_CORDONS: '1', GATEHOUSE_SHED_DELAY_MS: '40' });
    fine = await platform.install({ source: SOURCE, manifest: MANIFEST });
  });
  after(() => platform.close());

  /** Host and test share a thread: twice in a row, with one turn of the timers between. */
  const block = async () => {
    for (let times = 0; times < 2; times++) {
      const untilMs = performance.now() + 300;
      while (performance.now() < untilMs);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };

  it('refuses calls of plugins, says so, goes on with the rest, and recovers by itself', async () => {
    const get = (path: string, token?: string) =>
      fetch(platform.host.url + path, { headers: token ? { authorization: `Bearer ${token}` } : {} });
    const { admin, operator } = platform.credentials;
    let seen: { called: Response; ready: Response; alive: Response; listed: Response; metrics: Response };
    // On a busy machine the second in which it refuses may be over before all have asked.
    do {
      await block();
      const [called, ready, alive, listed, metrics] = await Promise.all([
        platform.call(fine, '/fine'),
        get('/readyz'),
        get('/healthz'),
        get('/v1/installations', operator),
        get('/metrics', admin),
      ]);
      seen = { called, ready, alive, listed, metrics };
    } while (seen.called.status !== 503 || seen.ready.status !== 503);
    expect(await seen.called.json()).to.include({ code: 'host-overloaded', reason: 'event-loop-delay' });
    expect(seen.called.headers.get('retry-after')).to.equal('1');
    expect(await seen.ready.json()).to.have.nested.include({ ready: false, 'checks.load.ok': false });
    expect([seen.alive.status, seen.listed.status, seen.metrics.status]).to.deep.equal([200, 200, 200]);
    const text = await seen.metrics.text();
    expect(text).to.match(/gatehouse_requests_shed_total\{reason="event-loop-delay"\} [1-9]/);
    expect(text).to.match(/gatehouse_event_loop_delay_seconds \d+\.\d/);

    let status: number;
    do {
      await new Promise((resolve) => setTimeout(resolve, 50));
      status = (await platform.call(fine, '/fine')).status;
      expect(status).to.be.oneOf([200, 503]);
    } while (status !== 200);
  });
});
