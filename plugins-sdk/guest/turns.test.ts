import { expect } from 'chai';
import { inputText, textOfInput } from '../contract/input-text.ts';
import { httpInput, routeBundle, startGuest } from './guest-in-context.ts';

describe('the turns of an invocation', () => {
  it('leave no trace of the answer that the runtime rehearsed', async () => {
    const { run, rehearsed } = await startGuest(routeBundle('return { now: Date.now(), random: Math.random() }'));
    expect(rehearsed.map(({ op }) => op)).to.deep.equal(['done']);
    const { records } = run(httpInput(), { nowMs: 5 });
    expect(records.map(({ op, id }) => [op, id])).to.deep.equal([['done', 'i1']]);
    const undefinedPlugin = await startGuest('');
    expect(undefinedPlugin.run(httpInput()).fault).to.include({ code: 'plugin-start-failed' });
  });

  it('answers a plain value as 200 application/json', async () => {
    const { run } = await startGuest(routeBundle('return { ok: true, n: [1, null] }'));
    expect(run(httpInput()).output).to.deep.equal({
      kind: 'http',
      response: {
        status: 200,
        headers: [['content-type', 'application/json']],
        body: '{"ok":true,"n":[1,null]}',
        bodyEncoding: 'utf8',
      },
    });
  });

  it('carries status, headers and binary bodies of a Response', async () => {
    const { run } = await startGuest(
      routeBundle(`return new Response(new Uint8Array([0, 255]), { status: 201, headers: { 'X-A': '1' } })`),
    );
    expect(run(httpInput()).output).to.deep.equal({
      kind: 'http',
      response: { status: 201, headers: [['x-a', '1']], body: 'AP8=', bodyEncoding: 'base64' },
    });
  });

  it('reads a long body that follows its message, and lets a long answer follow its own', async () => {
    const { run } = await startGuest(routeBundle('return new Response((await request.text()).toUpperCase())'));
    const body = `"first line"\n${'x'.repeat(600)}\u2028"`;
    const { output, records } = run(httpInput({ body }));
    expect(output).to.have.nested.property('response.body', body.toUpperCase());
    expect(records.find(({ op }) => op === 'done')!.payload).to.include(`"body":null,"bodyEncoding":"utf8"}}\n"FIRST`);
  });

  it('hands out params, caller and config, and calls the host with JSON arguments', async () => {
    const { run } = await startGuest(
      routeBundle(`
        const entry = await ctx.kv.get('a');
        await ctx.kv.set('b', { n: entry.value + 1 }, { ifVersion: 0, ttlSeconds: 60 });
        return [ctx.params, ctx.caller, ctx.config, ctx.operator.slug];`),
    );
    const calls: unknown[] = [];
    const { output } = run(
      { ...httpInput(), params: { id: '7' } },
      {
        context: { caller: { kind: 'caller', id: 'c' }, config: { price: 3 } },
        host: (name, args) => {
          calls.push([name, args]);
          return { ok: true, value: { key: 'a', value: 41, version: 1 } };
        },
      },
    );
    expect(calls).to.deep.equal([
      ['kv.get', { key: 'a' }],
      ['kv.set', { key: 'b', value: { n: 42 }, ttlSeconds: 60, ifVersion: 0 }],
    ]);
    expect(JSON.parse((output as { response: { body: string } }).response.body)).to.deep.equal([
      { id: '7' },
      { kind: 'caller', id: 'c' },
      { price: 3 },
      'arcade',
    ]);
  });

  it('shows a refusal as an Error with its code and the frames of the call', async () => {
    const { run } = await startGuest(
      routeBundle(`
        try { await ctx.kv.get('a') } catch (error) {
          return [error instanceof Error, error.name, error.code, error.message, error.stack.includes('bundle.js')] }`),
    );
    const host = () => ({ ok: false, value: { code: 'capability-unavailable', message: 'Later.' } });
    expect(bodyOf(run(httpInput(), { host }))).to.deep.equal([
      true,
      'CapabilityError',
      'capability-unavailable',
      'Later.',
      true,
    ]);
  });

  it('refuses capabilities without a grant before any call leaves the isolate', async () => {
    const { run } = await startGuest(
      routeBundle(`
        const codes = [];
        await ctx.kv.get('a').catch((error) => codes.push(error.code));
        try { ctx.log.info('x') } catch (error) { codes.push(error.code) }
        return codes;`),
    );
    const ended = run(httpInput(), { context: { grants: [] } });
    expect(bodyOf(ended)).to.deep.equal(['capability-denied', 'capability-denied']);
    expect(ended.records.map(({ op }) => op)).to.deep.equal(['done']);
  });

  it('refuses values that JSON cannot write, and values that are too large, without a call', async () => {
    const { run } = await startGuest(
      routeBundle(`
        const codes = [];
        const cyclic = {}; cyclic.self = cyclic;
        for (const value of [undefined, () => {}, cyclic, 1n, 'x'.repeat(300_000)]) {
          await ctx.kv.set('k', value).catch((error) => codes.push(error.code));
        }
        await ctx.kv.get('').catch((error) => codes.push(error.code));
        await ctx.kv.set('k', 1, { ifVersion: NaN }).catch((error) => codes.push(error.code));
        return codes;`),
    );
    const invalid = 'capability-arguments-invalid';
    const ended = run(httpInput());
    expect(bodyOf(ended)).to.deep.equal([invalid, invalid, invalid, invalid, 'kv-value-too-large', invalid, invalid]);
    expect(ended.records).to.have.length(1);
  });

  it('ends with host-call-limit at the first call too many, and names the last call', async () => {
    const { run } = await startGuest(routeBundle(`for (;;) await ctx.kv.increment('n')`));
    const { fault, records } = run(httpInput());
    expect(records.filter(({ op }) => op === 'call')).to.have.length(20);
    expect(fault).to.include({ code: 'host-call-limit', limit: 'hostCalls', allowed: 20, used: 21 });
    expect(fault).to.include({ lastHostCall: 'kv.increment' });
  });

  it('ends with output-too-large before an answer leaves the isolate', async () => {
    const { run } = await startGuest(routeBundle(`return new Response('é'.repeat(40_000))`));
    const { fault, output } = run(httpInput());
    expect(output).to.equal(null);
    expect(fault).to.include({ code: 'output-too-large', limit: 'outputBytes', allowed: 65_536 });
    expect(fault!.used).to.be.above(80_000);
  });

  it('explains a route that returns nothing', async () => {
    const { run } = await startGuest(routeBundle(''));
    expect(run(httpInput()).fault).to.deep.include({
      code: 'plugin-answer-invalid',
      message: 'GET / returned nothing. Return a Response, or a JSON value such as { ok: true }.',
    });
  });

  for (const [what, body] of [
    ['a function', 'return () => 1'],
    ['a big integer inside', 'return { n: 1n }'],
    ['a cycle', 'const a = {}; a.a = a; return a'],
    ['a Response that was read', `const r = new Response('x'); await r.text(); return r`],
    ['Response.error()', 'return Response.error()'],
  ]) {
    it(`calls an answer invalid that is ${what}`, async () => {
      const { run } = await startGuest(routeBundle(body!));
      expect(run(httpInput()).fault).to.include({ code: 'plugin-answer-invalid' });
    });
  }

  it('names the handlers that exist when one is missing', async () => {
    const { run } = await startGuest(routeBundle('return 1'));
    const { fault } = run({ ...httpInput(), route: 'GET /other' });
    expect(fault).to.deep.equal({
      code: 'handler-missing',
      message: 'definePlugin has no handler routes["GET /other"]; it has "GET /".',
    });
  });

  it('runs timers in the order in which the host lets them fire, and limits them', async () => {
    const { run } = await startGuest(
      routeBundle(`
        const seen = [];
        const cleared = setTimeout(() => seen.push('cleared'), 5);
        clearTimeout(cleared);
        await new Promise((resolve) => setTimeout(resolve, 10));
        seen.push(performance.now());
        await new Promise((resolve) => {
          const id = setInterval((what) => { seen.push(what); if (seen.length === 3) { clearInterval(id); resolve() } }, 1, 'tick');
        });
        return seen;`),
    );
    const ended = run(httpInput());
    expect(ended.records[0]).to.include({ op: 'call', name: 'timer', seq: 1, payload: '{"ms":5}' });
    expect(bodyOf(ended)).to.deep.equal([2, 'tick', 'tick']);

    const byKey = await startGuest(
      routeBundle(`const seen = []; const waiting = { [setTimeout(() => seen.push('cleared'), 1)]: 'it' };
        for (const id in waiting) clearTimeout(id); clearTimeout({}); clearTimeout(undefined);
        await new Promise((resolve) => setTimeout(resolve, 10)); return seen`),
    );
    expect(bodyOf(byKey.run(httpInput()))).to.deep.equal([]);

    const endless = await startGuest(routeBundle(`setInterval(() => {}, 0); await new Promise(() => {})`));
    expect(endless.run(httpInput()).fault).to.include({
      code: 'host-call-limit',
      limit: 'timers',
      allowed: 10,
      used: 11,
    });
  });

  it('ends the invocation when a callback throws that nobody can catch', async () => {
    const later = await startGuest(
      routeBundle(`setTimeout(() => { throw new Error('late') }); await new Promise(() => {})`),
    );
    expect(later.run(httpInput()).fault).to.include({ code: 'plugin-threw', message: 'late' });
    const soon = await startGuest(
      routeBundle(`queueMicrotask(() => { throw new Error('soon') }); await new Promise(() => {})`),
    );
    expect(soon.run(httpInput()).fault).to.include({ code: 'plugin-threw', message: 'soon' });
  });

  it('rejects calls through the context of an invocation that is over', async () => {
    const { run } = await startGuest(
      `let old; ${routeBundle(`if (old === undefined) { old = ctx; return 1 } return old.kv.get('a').catch((error) => error.code)`)}`,
    );
    run(httpInput());
    expect(bodyOf(run(httpInput()))).to.equal('invocation-over');
  });

  it('parses the context and the headers of a request when the plugin looks at them, and not before', async () => {
    const { enter } = await startGuest(
      routeBundle(
        `const look = new URL(request.url).pathname; return look === '/' ? 1 : look === '/headers' ? request.headers : ctx.config`,
      ),
    );
    const limits = { outputBytes: 1_000, hostCalls: 1, timers: 1, pieces: 1, logBytes: 100 };
    const opOf = (id: string, path: string) =>
      enter(
        { op: 'start', id, seed: '00', nowMs: 1, limits },
        inputText(httpInput({ url: `http://shop.example${path}` }), 'no JSON', 'no JSON'),
      )[0]!.op;
    expect(opOf('a', '/')).to.equal('done');
    expect(opOf('b', '/headers')).to.equal('fault');
    expect(opOf('c', '/config')).to.equal('fault');
  });

  it('settles nothing after forget', async () => {
    const { enter } = await startGuest(routeBundle(`await ctx.kv.get('a'); return 1`));
    const limits = { outputBytes: 1_000, hostCalls: 1, timers: 1, pieces: 1, logBytes: 100 };
    const context = { grants: ['kv'] };
    const head = { op: 'start' as const, id: 'x', seed: '00', nowMs: 1, limits };
    expect(enter(head, textOfInput({ ...httpInput(), context } as never))).to.have.length(1);
    enter({ op: 'forget', id: 'x' }, '');
    expect(enter({ op: 'result', id: 'x', seq: 1, nowMs: 2, ok: true }, 'null')).to.deep.equal([]);
  });

  it('keeps invocations of one isolate apart while they interleave', async () => {
    const { enter } = await startGuest(
      routeBundle(`const n = Math.random(); await ctx.kv.get('a'); return [n, Date.now()]`),
    );
    const limits = { outputBytes: 1_000, hostCalls: 1, timers: 1, pieces: 1, logBytes: 100 };
    const start = (id: string, seed: string) =>
      enter(
        { op: 'start', id, seed, nowMs: 1, limits },
        textOfInput({ ...httpInput(), context: { grants: ['kv'] } } as never),
      );
    const finish = (id: string, nowMs: number) => {
      const [record] = enter({ op: 'result', id, seq: 1, nowMs, ok: true }, 'null');
      return [record!.id, JSON.parse(JSON.parse(record!.payload).response.body)];
    };
    start('a', '11'.repeat(32));
    start('b', '22'.repeat(32));
    start('c', '11'.repeat(32));
    const [, b] = finish('b', 20);
    const [, c] = finish('c', 30);
    const [id, a] = finish('a', 40);
    expect(id).to.equal('a');
    expect([a[1], b[1], c[1]]).to.deep.equal([40, 20, 30]);
    expect(a[0]).to.equal(c[0]).and.not.equal(b[0]);
  });

  it('describes the handlers and shows what was logged while the bundle started', async () => {
    const { run } = await startGuest(
      `console.log('loaded', 1);
       __gatehouse_define({ routes: { 'GET /': () => 1 }, hooks: { 'order.paid': () => {} }, schedule: { tidy() {} }, health() {} })`,
    );
    const { output, logs } = run({ kind: 'describe' });
    expect(output).to.deep.equal({
      kind: 'value',
      value: { routes: ['GET /'], hooks: ['order.paid'], schedule: ['tidy'], health: true, configure: false },
    });
    expect(logs).to.deep.equal([{ name: 'console:info', message: 'loaded 1' }]);
  });

  it('answers hooks, jobs, health and configure, also where they return nothing', async () => {
    const { run } = await startGuest(
      `__gatehouse_define({
        hooks: { 'order.paid': (event) => ({ got: event.payload.orderId }), install: () => {} },
        schedule: { tidy: (job) => job.dueAt },
        configure: (config) => (config.ok ? undefined : { ok: false, faults: [{ pointer: '/ok', message: 'no' }] }),
      })`,
    );
    const value = (input: object) => (run(input as never).output as { value: unknown }).value;
    const event = { hook: 'order.paid', eventId: 'e', occurredAt: 'now', payload: { orderId: 'o1' } };
    expect(value({ kind: 'hook', event })).to.deep.equal({ got: 'o1' });
    expect(value({ kind: 'hook', event: { ...event, hook: 'install' } })).to.equal(null);
    expect(value({ kind: 'schedule', name: 'tidy', dueAt: 'then' })).to.equal('then');
    expect(value({ kind: 'health' })).to.deep.equal({ status: 'ok' });
    expect(value({ kind: 'configure', config: { ok: true } })).to.deep.equal({ ok: true });
    expect(value({ kind: 'configure', config: {} })).to.deep.include({ ok: false });
  });

  it('refuses health and configure answers of another shape', async () => {
    const { run } = await startGuest(`__gatehouse_define({ health: () => 'fine', configure: () => false })`);
    expect(run({ kind: 'health' }).fault).to.include({ code: 'plugin-answer-invalid' });
    expect(run({ kind: 'configure', config: {} }).fault).to.include({ code: 'plugin-answer-invalid' });
  });

  it('says what to do about a bundle without a plugin', async () => {
    const { run } = await startGuest('');
    expect(run(httpInput()).fault).to.include({ code: 'plugin-start-failed' });
    const nothing = await startGuest('__gatehouse_define(undefined)').then(
      () => '',
      (error: Error) => error.message,
    );
    expect(nothing).to.contain('export default definePlugin');
  });

  it('leaves no trace of the protocol behind', async () => {
    const { run } = await startGuest(
      routeBundle(
        `return Object.getOwnPropertyNames(globalThis).filter((name) => /turn|drain|gatehouse|core-js/.test(name))`,
      ),
    );
    expect(bodyOf(run(httpInput()))).to.deep.equal([]);
  });
});

function bodyOf({ output, fault }: { output: unknown; fault: unknown }): unknown {
  expect(fault).to.equal(null);
  return JSON.parse((output as { response: { body: string } }).response.body);
}
