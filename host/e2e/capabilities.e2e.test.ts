import { setTimeout as rest } from 'node:timers/promises';
import { expect } from 'chai';
import type { Manifest } from '../../plugins-sdk/contract/index.ts';
import type { Installation } from '../installations/contract.ts';
import { callerRoutes, KV, startTestPlatform, type TestPlatform } from './test-platform.ts';

const capability = (name: NonNullable<Manifest['capabilities']>[number]['name'], optional = false) => ({
  name,
  optional,
  reason: 'The test asks for it.',
});

/** For those that wait for what a test does meanwhile. */
const PATIENT = { hostCalls: 1_000, timers: 1_000 };

/** Sells: calls the pricer, tells what it sold, and tells its operator. */
const SELLER = `
import { definePlugin } from '@gatehouse/plugin-sdk';
const codeOf = (work) => work.then((value) => value, (error) => ({ code: error.code, reason: error.reason }));
export default definePlugin({ routes: {
  'POST /sell': async (request, ctx) => {
    const { item, times = 1 } = await request.json();
    for (let n = 0; n < times; n += 1) await ctx.events.publish('item.sold', { item, n });
    return { done: true };
  },
  'POST /publish': async (request, ctx) => {
    const { topic, size } = await request.json();
    return codeOf(ctx.events.publish(topic, 'x'.repeat(size)));
  },
  'GET /price/:item': async (request, ctx) => {
    const answer = await ctx.plugins.call('acme-labs/pricer', '/prices/' + ctx.params.item + '?tax=1', { headers: { 'x-trace': 't' } });
    return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.json() };
  },
  'POST /call': async (request, ctx) => {
    const { plugin, path, ...rest } = await request.json();
    return codeOf(ctx.plugins.call(plugin, path, rest).then(async (answer) => ({ status: answer.status, text: await answer.text() })));
  },
  'POST /deliver': async (request, ctx) => codeOf(ctx.plugins.deliver('acme-labs/pricer', 'order.paid', await request.json())),
  'POST /notify': async (request, ctx) => codeOf(ctx.notify.send(await request.json())),
  'GET /sales': () => 'sales',
  'GET /slow-kv': async (request, ctx) => {
    await ctx.kv.set('begun', 1);
    for (let n = 0; n < 600; n += 1) {
      const result = await codeOf(ctx.kv.get('begun'));
      if (result.code) return result;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return 'never refused';
  },
} });`;

/** Prices, and knows who asks. */
const PRICER = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: {
    'GET /prices/:item': (request, ctx) => ({ item: ctx.params.item, url: request.url, trace: request.headers.get('x-trace'), caller: ctx.caller }),
    'GET /secret': () => 'undeclared',
    'GET /admin': () => 'for the operator',
    'GET /breaks': () => { throw new Error('of the pricer') },
    'GET /slow': () => new Promise((resolve) => setTimeout(() => resolve('late'), 5000)),
    'GET /back': async (request, ctx) => (await ctx.plugins.call('acme-labs/seller', '/price/x')).text(),
    'GET /loops': async (request, ctx) => ctx.plugins.call('acme-labs/seller', '/sales').then((answer) => answer.text(), (error) => error.code),
    'POST /echo': async (request) => new Response(await request.text(), { status: 418, headers: { 'content-type': request.headers.get('content-type') ?? 'none' } }),
  },
  hooks: { 'order.paid': (event, ctx) => ({ orderId: event.payload.orderId, caller: ctx.caller?.plugin ?? null }) },
});`;

/** Counts what was sold; fails for some, and for some always. */
const COUNTER = `
import { definePlugin } from '@gatehouse/plugin-sdk';
export default definePlugin({
  routes: {
    'GET /count': async (request, ctx) => (await ctx.kv.get('count'))?.value ?? 0,
    'GET /seen': async (request, ctx) => (await ctx.kv.list({ prefix: 'seen/' })).entries.map((entry) => entry.value),
  },
  hooks: { 'events.item.sold': async (event, ctx) => {
    const { value } = await ctx.kv.increment('tries/' + event.eventId);
    if (event.payload.item === 'fails-once' && value === 1) throw new Error('not yet');
    if (event.payload.item === 'outlives') {
      console.log('executed');
      while ((await ctx.kv.get('go')) === null) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await ctx.kv.increment('count');
    await ctx.kv.set('seen/' + event.eventId, { ...event, value });
  } },
});`;

describe('capabilities between plugins', () => {
  let platform: TestPlatform;
  let seller: Installation;
  let counter: Installation;

  before(async () => {
    platform = await startTestPlatform({ GATEHOUSE_DRAIN_MS: '100' });
    await platform.install({
      source: PRICER,
      manifest: {
        name: 'pricer',
        version: '1.2.0',
        hooks: ['order.paid'],
        capabilities: [capability('plugins')],
        dependencies: [
          { plugin: 'acme-labs/seller', range: '*', optional: true, routes: ['GET /price/:item', 'GET /sales'] },
        ],
        ...callerRoutes(
          'GET /prices/:item',
          'GET /secret',
          'GET /breaks',
          'GET /slow',
          'GET /back',
          'GET /loops',
          'POST /echo',
        ),
      },
    });
    seller = await platform.install({
      source: SELLER,
      manifest: {
        name: 'seller',
        capabilities: [
          KV,
          capability('events'),
          capability('plugins'),
          capability('notify', true),
          capability('log', true),
        ],
        events: { publishes: ['item.sold', 'item.lost'] },
        limits: PATIENT,
        dependencies: [
          {
            plugin: 'acme-labs/pricer',
            range: '^1.0.0',
            routes: ['GET /prices/:item', 'GET /breaks', 'GET /slow', 'GET /back', 'GET /loops', 'POST /echo'],
            hooks: ['order.paid'],
          },
          { plugin: 'acme-labs/counter', range: '^2.0.0', optional: true, routes: ['GET /count'] },
          { plugin: 'acme-labs/nobody', range: '*', optional: true, routes: ['GET /'] },
        ],
        ...callerRoutes(
          'POST /sell',
          'POST /publish',
          'GET /price/:item',
          'POST /call',
          'POST /deliver',
          'POST /notify',
          'GET /sales',
          'GET /slow-kv',
        ),
      },
    });
    counter = await platform.install({
      source: COUNTER,
      manifest: {
        name: 'counter',
        capabilities: [KV, capability('events')],
        events: { subscribes: [{ topic: 'item.sold', from: 'acme-labs/seller' }] },
        limits: PATIENT,
        ...callerRoutes('GET /count', 'GET /seen'),
      },
    });
  });
  after(() => platform.close());

  const post = async (path: string, body: object) => {
    const answer = await platform.call(seller, path, { method: 'POST', body: JSON.stringify(body) });
    expect(answer.status, await answer.clone().text()).to.equal(200);
    return answer.json() as Promise<Record<string, unknown>>;
  };
  const get = async <Value>(installation: Installation, path: string) =>
    (await platform.call(installation, path)).json() as Promise<Value>;
  /** Asks until the answer is the one, or a generous time is over. */
  const eventually = async <Value>(ask: () => Promise<Value>, isIt: (value: Value) => boolean): Promise<Value> => {
    let value = await ask();
    for (const endMs = Date.now() + 50_000; Date.now() < endMs && !isIt(value); ) {
      await rest(50);
      value = await ask();
    }
    return value;
  };

  it('brings an event to its subscriber, with who published it', async () => {
    await post('/sell', { item: 'lamp' });
    const seen = (await eventually(
      () => get<object[]>(counter, '/seen'),
      (list) => list.length === 1,
    )) as Record<string, unknown>[];
    expect(seen[0]).to.deep.include({
      hook: 'events.item.sold',
      payload: { item: 'lamp', n: 0 },
      from: { plugin: 'acme-labs/seller', installation: 'seller' },
    });
  });

  it('delivers again after a fault, under the same event id, and each of many exactly once where nothing fails', async () => {
    await post('/sell', { item: 'fails-once' });
    await post('/sell', { item: 'many', times: 20 });
    const seen = (await eventually(
      () => get<object[]>(counter, '/seen'),
      (list) => list.length === 22,
    )) as { value: number }[];
    expect(seen.filter(({ value }) => value === 2)).to.have.length(1);
    expect(await get(counter, '/count')).to.equal(22);
    const { items } = await platform.as.operator.listLogs(counter.id, {});
    expect(items.map(({ message }) => message).join('\n')).to.include(
      'event item.sold not delivered: plugin-threw; attempt 1',
    );
  });

  it('refuses topics that are not declared and payloads that are too large', async () => {
    expect((await post('/publish', { topic: 'item.stolen', size: 1 })).code).to.equal('event-topic-undeclared');
    expect((await post('/publish', { topic: 'item.sold', size: 70_000 })).code).to.equal('event-too-large');
    expect((await post('/publish', { topic: 'Item Sold', size: 1 })).code).to.equal('capability-arguments-invalid');
    expect((await post('/publish', { topic: 'item.lost', size: 1 })).subscribers).to.equal(0);
  });

  it('calls a route of another plugin, which learns who calls', async () => {
    const answer = (await get(seller, '/price/lamp')) as {
      status: number;
      type: string;
      body: Record<string, unknown>;
    };
    expect(answer).to.deep.include({ status: 200, type: 'application/json' });
    expect(answer.body).to.deep.include({
      item: 'lamp',
      url: 'https://pricer.plugins.internal/prices/lamp?tax=1',
      trace: 't',
      caller: { kind: 'plugin', id: seller.id, plugin: 'acme-labs/seller', installation: 'seller' },
    });
    const echo = await post('/call', { plugin: 'acme-labs/pricer', path: '/echo', body: { a: 'é' } });
    expect(echo).to.deep.equal({ status: 418, text: '{"a":"é"}' });
  });

  it('delivers a hook to another plugin and resolves with what it returned', async () => {
    const order = { orderId: 'o-1', lines: [{ sku: 's', quantity: 1 }] };
    expect(await post('/deliver', order)).to.deep.equal({ orderId: 'o-1', caller: 'acme-labs/seller' });
    expect(await post('/deliver', { orderId: 7 })).to.deep.equal({
      code: 'callee-refused',
      reason: 'hook-payload-invalid',
    });
  });

  it('refuses calls that nothing declares, that nobody answers, and those that go in a circle', async () => {
    const call = (plugin: string, path: string, rest: object = {}) => post('/call', { plugin, path, ...rest });
    expect((await call('acme-labs/other', '/')).code).to.equal('dependency-undeclared');
    expect((await call('acme-labs/pricer', '/secret')).code).to.equal('dependency-undeclared');
    expect((await call('acme-labs/nobody', '/')).code).to.equal('dependency-missing');
    // Its version does not fit the range.
    expect((await call('acme-labs/counter', '/count')).code).to.equal('dependency-missing');
    expect((await call('acme-labs/pricer', '/prices/a', { installation: 'other' })).code).to.equal(
      'dependency-missing',
    );
    expect(await call('acme-labs/pricer', '/nothing')).to.deep.equal({
      code: 'callee-refused',
      reason: 'plugin-route-unknown',
    });
    expect(await call('acme-labs/pricer', '/breaks')).to.deep.equal({ code: 'callee-failed', reason: 'plugin-threw' });
    expect((await call('acme-labs/pricer', '/prices/a', { headers: { authorization: 'x' } })).code).to.equal(
      'capability-arguments-invalid',
    );
    expect(await call('acme-labs/pricer', '/loops')).to.deep.equal({ status: 200, text: '"call-cycle"' });
  });

  it('tells the operator, with a link to a route of the plugin, until it was enough for an hour', async () => {
    const sent = await post('/notify', {
      title: 'Stock is low',
      text: 'Two lamps are left.',
      severity: 'warn',
      link: '/sales?x=1',
    });
    expect(sent).to.have.property('notificationId');
    const { items } = await platform.as.operator.listNotifications({});
    const message = items.find(({ id }) => id === sent.notificationId);
    expect(message).to.deep.include({
      kind: 'plugin-message',
      subject: 'seller says: Stock is low',
    });
    expect(message!.facts).to.deep.include({ plugin: 'acme-labs/seller', severity: 'warn' });
    expect(message!.body).to.match(/^Two lamps are left\.\n\nSee \/run\/[a-z-]+\/seller\/sales\?x=1$/);
    expect((message!.facts as { link: string }).link).to.match(/^\/run\/[a-z-]+\/seller\/sales\?x=1$/);
    expect((await post('/notify', { title: 'x', text: 'y', link: '/nowhere' })).code).to.equal('notify-link-unknown');
    expect((await post('/notify', { title: 'two\nlines', text: 'y' })).code).to.equal('capability-arguments-invalid');
    const codes = await Promise.all(Array.from({ length: 25 }, () => post('/notify', { title: 'again', text: 'y' })));
    expect(codes.filter(({ code }) => code === 'notify-rate-exceeded')).to.have.length(6);
  });

  it('shows what was granted and what was used, and takes a grant away from an invocation that runs', async () => {
    const { operator, publisher } = platform.as;
    const { items } = await operator.listGrants(seller.id);
    const used = Object.fromEntries(items.map((grant) => [grant.capability, grant.usedAt !== null]));
    expect(used).to.deep.equal({ kv: false, events: true, plugins: true, notify: true, log: false });
    expect(items.every(({ granted, unused, grantedAt }) => granted && !unused && grantedAt !== null)).to.equal(true);

    const running = get(seller, '/slow-kv');
    await eventually(
      () => platform.database.knex('kv_entries').where({ installation_id: seller.id, key: 'begun' }),
      (rows) => rows.length === 1,
    );
    const after = await operator.revoke(seller.id, 'kv');
    expect(await running).to.deep.equal({ code: 'capability-denied' });
    expect(after.items.find((grant) => grant.capability === 'kv')).to.deep.include({ granted: false, usedAt: null });

    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => 'none',
        ({ code }) => code,
      );
    expect(await codeOf(operator.grant(seller.id, 'kv'))).to.equal('none');
    expect(await codeOf(operator.grant(seller.id, 'fetch'))).to.equal('capability-undeclared');
    expect(await codeOf(publisher.listGrants(seller.id))).to.equal('permission-denied');
    const metrics = await (
      await fetch(`${platform.host.url}/metrics`, {
        headers: { authorization: `Bearer ${platform.credentials.admin}` },
      })
    ).text();
    expect(metrics).to.match(/gatehouse_capability_calls_total\{capability="plugins",end="refused"\} [1-9]/);
  });

  it('executes a delivery again that outlived its host, and what it has done is not done twice', async () => {
    const { knex } = platform.database;
    const executions = () =>
      knex('installation_logs').where({ installation_id: counter.id, message: 'executed' }).select('invocation_id');
    const before = await get<number>(counter, '/count');
    await post('/sell', { item: 'outlives' });
    await eventually(executions, (rows) => rows.length === 1);
    await platform.host.close();
    await knex('kv_entries').insert({ installation_id: counter.id, key: 'go', value: 'true', version: 1 });
    await platform.startAnotherHost();
    const entries = () => knex('kv_entries').where({ installation_id: counter.id });
    const counted = async () => Number((await entries().where({ key: 'count' }).first()).value);
    expect(await eventually(counted, (count) => count > before)).to.equal(before + 1);
    const executed = await eventually(executions, (rows) => rows.length === 2);
    expect(executed[0].invocation_id).to.equal(executed[1].invocation_id);
    const seen = (await entries().whereLike('key', 'seen/%')).map(({ value }) => JSON.parse(value));
    const outlived = seen.filter(({ payload }) => payload.item === 'outlives');
    // The increment that stands at the beginning counted one.
    expect(outlived.map(({ value }) => value)).to.deep.equal([1]);
  });
});
