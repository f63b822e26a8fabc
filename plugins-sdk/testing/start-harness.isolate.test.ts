import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Harness, HarnessFault, type HarnessOptions, type HarnessRefusal, startHarness } from './index.ts';

const MANIFEST = {
  name: 'under-test',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme-labs',
  title: 'Under test',
  description: 'A plugin that only tests know.',
  category: 'utilities',
  entry: 'src/index.ts',
  engine: '^0.1.0',
  capabilities: [
    { name: 'kv', reason: 'Stores what the tests store.' },
    { name: 'config', reason: 'Reads what the tests configure.' },
    { name: 'events', reason: 'Publishes what the tests publish.' },
    { name: 'plugins', reason: 'Calls whom the tests answer for.' },
    { name: 'fetch', reason: 'Asks whom the tests answer for.' },
    { name: 'secrets', reason: 'Uses what the tests enter.' },
    { name: 'queue', reason: 'Puts off what the tests run.' },
    { name: 'notify', reason: 'Tells what the tests look for.' },
  ],
  routes: [
    { method: 'GET', path: '/public', access: 'public' },
    { method: 'POST', path: '/caller/:name', access: 'caller' },
    { method: 'GET', path: '/operator', access: 'operator' },
    { method: 'GET', path: '/clock', access: 'public' },
    { method: 'GET', path: '/throw', access: 'public' },
    { method: 'GET', path: '/spin', access: 'public' },
    { method: 'GET', path: '/hang', access: 'public' },
    { method: 'GET', path: '/undefined', access: 'public' },
    { method: 'GET', path: '/kv', access: 'public' },
    { method: 'GET', path: '/tell', access: 'public' },
    { method: 'GET', path: '/prices', access: 'public' },
    { method: 'GET', path: '/later', access: 'public' },
    { method: 'GET', path: '/headers', access: 'public' },
    { method: 'GET', path: '/unsendable/:how', access: 'public' },
  ],
  events: { publishes: ['item.sold'], subscribes: [{ topic: 'item.priced', from: 'acme-labs/prices' }] },
  dependencies: [
    { plugin: 'acme-labs/prices', range: '^2.1.0', routes: ['GET /prices/:id'], hooks: ['order.paid'] },
    { plugin: 'acme-labs/absent', range: '*', routes: ['GET /'] },
  ],
  fetchHosts: ['api.example.com'],
  secrets: [{ name: 'API_KEY', reason: 'Opens the door.', send: { hosts: ['api.example.com'], header: 'x-key' } }],
  queues: [{ name: 'mails', attempts: 3, backOffSeconds: 10 }],
  hooks: ['order.paid', 'install'],
  schedule: [{ name: 'tidy', cron: '0 3 * * *' }],
  config: { type: 'object', properties: { size: { type: 'integer' } }, additionalProperties: false },
};

const SOURCE = `import { definePlugin } from '@gatehouse/plugin-sdk';
import { fail } from './fail.ts';
export default definePlugin({
  routes: {
    'GET /public': (request, { caller, config }) => ({ url: request.url, caller, config }),
    'POST /caller/:name': async (request, { params, caller }) =>
      new Response(await request.arrayBuffer(), { status: 202, headers: { 'x-name': params.name, 'x-caller': caller.kind } }),
    'GET /operator': (_request, { caller }) => caller,
    'GET /clock': async (_request, { kv }) => { const before = Date.now(); await kv.get('a'); return [before, Date.now()]; },
    'GET /throw': async (_request, { kv }) => { await kv.get('a'); return fail('on purpose'); },
    'GET /spin': () => { for (;;); },
    'GET /prices': async () => {
      try { return await (await fetch('https://api.example.com/prices', { method: 'POST', body: 'all' })).json(); }
      catch (error) { return { code: error.code }; }
    },
    'GET /later': (_request, { queue }) => queue.send('mails', { to: 'ada' }, { delaySeconds: 60 }),
    'GET /headers': (request) => Response.json([...request.headers], {
      headers: { 'set-cookie': 'a=b', 'x-powered-by': 'me', 'x-accent': 'é', 'x-own': 'yes' },
    }),
    'GET /unsendable/:how': (_request, { params }) => {
      if (params.how === 'error') return Response.error();
      return new Response('', { headers: Array.from({ length: 101 }, (_, n) => ['x-' + n, 'v']) });
    },
    'GET /hang': () => new Promise(() => {}),
    'GET /undefined': () => undefined,
    'GET /kv': async (_request, { kv }) => {
      await kv.set('b', { n: 1 }, { ttlSeconds: 10 });
      const conflict = await kv.set('b', 2, { ifVersion: 0 }).catch((error) => error.code);
      return [await kv.get('b'), conflict, await kv.list(), await kv.increment('n', 3)];
    },
    'GET /tell': async (_request, { events, notify, plugins }) => {
      await events.publish('item.sold', { item: 'lamp' });
      await notify.send({ title: 'Sold', text: 'One lamp.' });
      const price = await plugins.call('acme-labs/prices', '/prices/7?tax=1', { headers: { 'x-a': 'b' } });
      const hook = await plugins.deliver('acme-labs/prices', 'order.paid', { orderId: 'o', lines: [{ sku: 's', quantity: 1 }] });
      const absent = await plugins.call('acme-labs/absent', '/').catch((error) => error.code);
      return [price.status, await price.text(), hook, absent];
    },
  },
  hooks: {
    'order.paid': (event, { caller }) => ({ ...event, by: caller?.kind }),
    install: (_event, { caller }) => caller,
    'events.item.priced': (event) => event,
    'queue.mails': async ({ payload, attempt }, { kv }) => {
      await kv.increment('mails');
      if (attempt < 2) throw new Error('busy');
      await kv.set('mailed', payload.to);
    },
  },
  schedule: { tidy: (job) => job, forgotten: () => {} },
  configure: (config) => (config.size > 9 ? { ok: false, faults: [{ pointer: '/size', message: 'too large' }] } : undefined),
});
`;

const FAIL = `export function fail(why: string): never {
  throw new RangeError(why);
}
`;

/** In place of the plugin that is called. */
const prices = async (request: Request): Promise<Response> => {
  const { pathname, search } = new URL(request.url);
  if (pathname === '/hooks/order.paid') {
    const { payload } = (await request.json()) as { payload: { orderId: string } };
    return Response.json(payload.orderId);
  }
  return new Response(`${pathname}${search} ${request.headers.get('x-a')}`, { status: 203 });
};

describe('startHarness', () => {
  let folder: string;
  let harness: Harness;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'harness-'));
    await mkdir(join(folder, 'src'));
    await Promise.all([
      writeFile(join(folder, 'gatehouse.json'), JSON.stringify(MANIFEST)),
      writeFile(join(folder, 'src/index.ts'), SOURCE),
      writeFile(join(folder, 'src/fail.ts'), FAIL),
    ]);
    harness = await start({
      config: { size: 1 },
      plugins: { 'acme-labs/prices': prices },
      secrets: { API_KEY: 'key-123456' },
      fetch: async (request) =>
        Response.json([request.method, request.url, request.headers.get('x-key'), await request.text()]),
    });
  });
  after(async () => {
    await harness?.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => harness.reset());

  const start = (options: Partial<HarnessOptions>) => startHarness({ folder, nowMs: 1_000, ...options });
  const refusalOf = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'nothing was refused',
      (error: HarnessRefusal) => error.code,
    );
  const faultOf = async (work: Promise<unknown>): Promise<HarnessFault> =>
    work.then(
      () => expect.fail('no fault'),
      (error: unknown) => {
        expect(error).to.be.instanceOf(HarnessFault);
        return error as HarnessFault;
      },
    );

  it('collects what it tells others, and lets the test answer for those it calls', async () => {
    expect(await (await harness.fetch('/tell')).json()).to.deep.equal([
      203,
      '/prices/7?tax=1 b',
      'o',
      'dependency-missing',
    ]);
    expect(harness.events).to.deep.equal([{ topic: 'item.sold', payload: { item: 'lamp' } }]);
    expect(harness.notifications).to.deep.equal([{ title: 'Sold', text: 'One lamp.', severity: 'info' }]);
  });

  it('answers what it fetches, with its secrets as the host would add and hide them', async () => {
    const answer = await (await harness.fetch('/prices')).json();
    expect(answer).to.deep.equal(['POST', 'https://api.example.com/prices', '[secret API_KEY]', 'all']);
  });

  it('runs the messages of its queues when the test says so and its clock has come to them', async () => {
    await harness.fetch('/later');
    expect(harness.queued).to.deep.equal([
      { queue: 'mails', payload: { to: 'ada' }, state: 'waiting', attempts: 0, dueAt: '1970-01-01T00:01:01.000Z' },
    ]);
    expect(await harness.runQueue()).to.equal(0);
    harness.clock.advance(60_000);
    expect(await harness.runQueue()).to.equal(1);
    expect(harness.queued[0]).to.include({ state: 'waiting', attempts: 1, dueAt: '1970-01-01T00:01:11.000Z' });
    harness.clock.advance(10_000);
    expect(await harness.runQueue()).to.equal(1);
    expect(harness.queued[0]).to.include({ state: 'done', attempts: 1 });
    expect(harness.kv).to.deep.equal({ mails: 1, mailed: 'ada' });
    harness.clock.set(1_000);
  });

  it('delivers events of other plugins, as far as the manifest subscribes to them', async () => {
    const event = await harness.deliverEvent('item.priced', { price: 1 }, { eventId: 'e' });
    expect(event).to.deep.include({ hook: 'events.item.priced', eventId: 'e', payload: { price: 1 } });
    expect(event).to.have.nested.property('from.plugin', 'acme-labs/prices');
    const foreign = { from: { plugin: 'acme-labs/other', installation: 'other' } };
    for (const refused of [harness.deliverEvent('item.sold', 1), harness.deliverEvent('item.priced', 1, foreign)]) {
      expect(await refused.catch(({ code }) => code)).to.equal('hook-undeclared');
    }
  });

  it('sends requests through the routes, as whom they ask for', async () => {
    expect(await (await harness.fetch('/public?a=1')).json()).to.deep.equal({
      url: 'https://plugin.test/public?a=1',
      caller: null,
      config: { size: 1 },
    });
    const sent = await harness.fetch('/caller/Ada%20L', { method: 'POST', body: Uint8Array.of(0, 255) });
    expect([sent.status, sent.headers.get('x-name'), sent.headers.get('x-caller')]).to.deep.equal([
      202,
      'Ada L',
      'caller',
    ]);
    expect([...new Uint8Array(await sent.arrayBuffer())]).to.deep.equal([0, 255]);
    expect(await (await harness.fetch('/operator')).json()).to.include({ kind: 'operator' });
    expect(await (await harness.fetch('/public', { method: 'HEAD' })).text()).to.equal('');
  });

  it('refuses what the host would refuse', async () => {
    expect(await refusalOf(harness.fetch('/nowhere'))).to.equal('plugin-route-unknown');
    expect(await refusalOf(harness.fetch('/public', { method: 'POST' }))).to.equal('method-not-allowed');
    expect(await refusalOf(harness.fetch('/operator', { as: 'caller' }))).to.equal('permission-denied');
    expect(await refusalOf(harness.fetch('/operator', { as: 'public' }))).to.equal('token-missing');
    const body = 'x'.repeat(1024 * 1024 + 1);
    expect(await refusalOf(harness.fetch('/caller/a', { method: 'POST', body }))).to.equal('body-too-large');
    expect(await refusalOf(harness.deliver('order.created', {} as never))).to.equal('hook-undeclared');
    expect(await refusalOf(harness.deliver('order.paid', { orderId: '' } as never))).to.equal('hook-payload-invalid');
    expect(await refusalOf(start({ config: { size: 'big' } }))).to.equal('config-invalid');
  });

  it('delivers events, runs jobs, asks for health and about configurations', async () => {
    const payload = { orderId: 'o', lines: [{ sku: 's', quantity: 1 }] };
    expect(await harness.deliver('order.paid', payload, { eventId: 'e' })).to.deep.equal({
      hook: 'order.paid',
      eventId: 'e',
      occurredAt: '1970-01-01T00:00:01.000Z',
      payload,
      by: 'operator',
    });
    expect(await harness.deliver('install', { version: '1.0.0' })).to.equal(null);
    expect(await harness.runJob('tidy')).to.deep.equal({ name: 'tidy', dueAt: '1970-01-01T00:00:01.000Z' });
    expect(await harness.health()).to.deep.equal({ status: 'ok' });
    expect(await harness.configure({ size: 10 })).to.deep.include({ ok: false });
  });

  it('runs no job that the manifest does not declare, which no host would', async () => {
    expect(await refusalOf(harness.runJob('forgotten'))).to.equal('route-unknown');
  });

  it('asks the schema about a configuration first, and a plugin without an opinion not at all', async () => {
    expect(await harness.configure({ size: 'big' })).to.deep.include({ ok: false });
    const unasked = await mkdtemp(join(tmpdir(), 'harness-'));
    await cp(folder, unasked, { recursive: true });
    await writeFile(join(unasked, 'src/index.ts'), SOURCE.replace(/^ {2}configure: .*$/m, ''));
    const indifferent = await start({ folder: unasked });
    try {
      expect(await indifferent.configure({ size: 10 })).to.deep.equal({ ok: true });
    } finally {
      await indifferent.close();
      await rm(unasked, { recursive: true });
    }
  });

  it('keeps from the plugin and from its callers the headers that the host keeps from them', async () => {
    const headers = {
      authorization: 'Bearer t',
      cookie: 'a=b',
      'x-forwarded-for': '203.0.113.1',
      'x-gatehouse-record': '1',
      connection: 'x-hop',
      'x-hop': '1',
      'x-own': 'yes',
    };
    const answer = await harness.fetch('/headers', { headers });
    expect(await answer.json()).to.deep.equal([['x-own', 'yes']]);
    expect([...answer.headers]).to.deep.equal([
      ['content-type', 'application/json'],
      ['x-own', 'yes'],
    ]);
  });

  it('takes for a fault what the host could not send', async () => {
    for (const how of ['error', 'many']) {
      expect((await faultOf(harness.fetch(`/unsendable/${how}`))).fault.code).to.equal('plugin-answer-invalid');
    }
  });

  it('shows a fault with the frames of the sources and the last host call', async () => {
    const fault = await faultOf(harness.fetch('/throw'));
    expect(fault.message.split('\n').slice(0, 2)).to.deep.equal([
      'GET /throw failed with plugin-threw: RangeError: on purpose',
      '    at fail (src/fail.ts:2:9)',
    ]);
    expect(fault.message)
      .to.contain('src/index.ts:10:')
      .and.match(/after the capability call kv\.get$/);
    expect(harness.logs).to.have.length(1);
    expect(harness.logs[0]).to.include({ source: 'host', level: 'error' });
  });

  it('ends what never ends, with the limit it broke', async () => {
    const faults = await Promise.all(['/spin', '/hang', '/undefined'].map((path) => faultOf(harness.fetch(path))));
    expect(faults.map(({ fault }) => fault.code)).to.deep.equal([
      'cpu-limit',
      'plugin-never-answered',
      'plugin-answer-invalid',
    ]);
    expect(faults[0]!.fault).to.include({ limit: 'cpuMs', allowed: 50 });
  });

  it('has a clock that the test moves, also between the turns of one invocation', async () => {
    expect(await (await harness.fetch('/clock')).json()).to.deep.equal([1_000, 1_000]);
    harness.clock.set(new Date(5_000));
    harness.clock.advance(500);
    expect(await (await harness.fetch('/clock')).json()).to.deep.equal([5_500, 5_500]);
    harness.clock.set(1_000);
  });

  it('stores as the host does, and lets the clock expire what has a time to live', async () => {
    const entry = { key: 'b', value: { n: 1 }, version: 1 };
    expect(await (await harness.fetch('/kv')).json()).to.deep.equal([
      entry,
      'kv-version-conflict',
      { entries: [entry], cursor: null },
      { value: 3 },
    ]);
    expect(harness.kv).to.deep.equal({ b: { n: 1 }, n: 3 });
    harness.clock.advance(10_000);
    expect(harness.kv).to.deep.equal({ n: 3 });
    harness.clock.set(1_000);
  });

  it('grants only what the test grants', async () => {
    const bare = await start({ grants: [] });
    try {
      expect((await faultOf(bare.fetch('/kv'))).fault).to.include({ name: 'CapabilityError' });
      expect(await (await bare.fetch('/public')).json()).to.include({ config: null });
    } finally {
      await bare.close();
    }
  });

  it('cuts an invocation off after so many host calls', async () => {
    expect((await faultOf(harness.fetch('/kv', { hostCallsMax: 1 }))).fault.code).to.equal('host-call-limit');
    expect(Object.keys(harness.kv)).to.deep.equal(['b']);
  });
});
