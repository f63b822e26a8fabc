import { expect } from 'chai';
import { httpInput, routeBundle, startGuest } from './guest-in-context.ts';

/** What a plugin throws, with the message that its publisher reads. */
const THROWN: [what: string, expression: string, message: string | RegExp][] = [
  ['null', 'null', 'null'],
  ['undefined', 'undefined', 'undefined'],
  ['a string', `'plain'`, 'plain'],
  ['an empty string', `''`, 'The plugin threw an empty string.'],
  ['a symbol', `Symbol('s')`, 'Symbol(s)'],
  ['a big integer', '10n', '10n'],
  ['a function', '() => {}', /^The plugin threw \[Function/],
  ['a plain object', '({ a: 1 })', 'The plugin threw { a: 1 }'],
  ['an object without a prototype', 'Object.create(null)', /^The plugin threw/],
  ['a proxy that refuses everything', 'new Proxy({}, new Proxy({}, { get() { throw 1 } }))', /^The plugin threw/],
  [
    'a revoked proxy',
    '(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy })()',
    /^The plugin threw/,
  ],
  [
    'an error whose getters throw',
    `Object.defineProperties(new Error('x'), Object.fromEntries(['name', 'message', 'stack', 'cause'].map((k) => [k, { get() { throw k } }])))`,
    /^The plugin threw/,
  ],
  [
    'an error whose fields are objects',
    `Object.assign(new Error('x'), { name: {}, message: { toString() { throw 1 } }, stack: [] })`,
    /^The plugin threw/,
  ],
  ['an error that causes itself', `(() => { const e = new Error('loop'); e.cause = e; return e })()`, 'loop'],
  ['an error with a million characters', `new Error('m'.repeat(1e6))`, /^m{2000}… \(998000 more characters\)$/],
  ['an error with a name of a million characters', `Object.assign(new Error('n'), { name: 'N'.repeat(1e6) })`, 'n'],
  ['a thenable', `({ then() { throw 1 } })`, /^The plugin threw \{ then: \[Function: then\] \}/],
  ['a promise', 'Promise.resolve(1)', /^The plugin threw Promise/],
];

describe('what a plugin throws', () => {
  for (const [what, expression, message] of THROWN) {
    it(`becomes a fault with capped strings: ${what}`, async () => {
      const { run } = await startGuest(routeBundle(`throw ${expression}`));
      const { fault } = run(httpInput());
      expect(fault).to.include({ code: 'plugin-threw' });
      if (typeof message === 'string') expect(fault!.message).to.equal(message);
      else expect(fault!.message).to.match(message);
      expect(JSON.stringify(fault).length).to.be.below(20_000);
    });
  }

  it('keeps the chain of causes with the frames of the bundle, and none of the runtime', async () => {
    const { run } = await startGuest(
      routeBundle(`
        const root = new TypeError('root');
        await ctx.kv.get('a');
        throw new Error('top', { cause: new AggregateError([root, 'text'], 'middle', { cause: root }) });`),
    );
    const { fault } = run(httpInput());
    expect(fault).to.include({ name: 'Error', message: 'top', lastHostCall: 'kv.get' });
    const stack = String(fault!.stack);
    expect(stack).to.match(/^ {4}at .*bundle\.js:/);
    expect(stack.match(/Caused by: .*/g)).to.deep.equal([
      'Caused by: AggregateError: middle',
      'Caused by: TypeError: root',
      "Caused by: 'text'",
    ]);
    expect(stack).to.not.contain('gatehouse:guest');
  });

  it('is described although Error.prepareStackTrace is hostile', async () => {
    const { run } = await startGuest(
      routeBundle(`Error.prepareStackTrace = () => { throw 1 }; throw new Error('still here')`),
    );
    expect(run(httpInput()).fault).to.include({ code: 'plugin-threw', message: 'still here' });
  });
});

/** Replaces every method that it can reach, with nothing but what it took beforehand. */
const SABOTAGE = `
  const { getOwnPropertyNames, getPrototypeOf } = Object;
  const bomb = () => { throw new Error('sabotage') };
  const owners = [Array.prototype, Promise.prototype, Map.prototype, Set.prototype, String.prototype, RegExp.prototype,
    Function.prototype, Uint8Array.prototype, getPrototypeOf(Uint8Array.prototype), Date.prototype, Error.prototype,
    JSON, Reflect, Math, Number, Object, Array, String, Error];
  for (let i = 0; i < owners.length; i += 1) {
    const names = getOwnPropertyNames(owners[i]);
    for (let n = 0; n < names.length; n += 1) {
      if (names[n] !== 'constructor' && names[n] !== 'prototype') try { owners[i][names[n]] = bomb } catch {}
    }
  }`;

const PLANTED = `
  const { defineProperty } = Object;
  defineProperty(Array.prototype, '0', { set() { throw new Error('sabotage') }, configurable: true });
  const names = ['toJSON', 'then', 'code', 'limit', 'stack', 'lastHostCall', 'set', 'get'];
  for (let n = 0; n < names.length; n += 1) {
    Object.prototype[names[n]] = () => 'planted';
  }
  const fields = ['contextJson', 'headersJson', 'params', 'older', 'newer'];
  for (let n = 0; n < fields.length; n += 1) {
    defineProperty(Object.prototype, fields[n], { set() { throw new Error('sabotage') }, get: () => 'planted' });
  }`;

describe('a plugin that replaces built-ins', () => {
  for (const [what, code] of [
    ['every method of the common built-ins', SABOTAGE],
    ['fields on Object.prototype', PLANTED],
    ['Promise itself', `globalThis.Promise = undefined; globalThis.Map = undefined; globalThis.JSON = undefined;`],
    [
      'species and then of Promise',
      `Object.defineProperty(Promise, Symbol.species, { get() { throw new Error('sabotage') } }); Promise.prototype.then = 1;`,
    ],
  ]) {
    it(`still gets its answers out: ${what}`, async () => {
      const { run } = await startGuest(
        `const routes = { 'GET /': (request) => request.method + ' fine', 'GET /call': async (request, ctx) => { await ctx.kv.get('a'); return 'called' } };
         const schedule = { job: (_job, ctx) => ctx.operator.slug };
         __gatehouse_define({ routes, schedule }); ${code}`,
      );
      const body = (route: string) => {
        const { output, fault } = run({ ...httpInput(), route });
        expect(fault).to.equal(null);
        return (output as { response: { body: string } }).response.body;
      };
      expect(body('GET /')).to.equal('"GET fine"');
      expect(body('GET /call')).to.equal('"called"');
      expect(run({ kind: 'schedule', name: 'job', dueAt: '' }).output).to.deep.equal({
        kind: 'value',
        value: 'arcade',
      });
    });

    it(`still gets its faults out: ${what}`, async () => {
      const { run } = await startGuest(
        `const error = new Error('mine'); __gatehouse_define({ routes: { 'GET /': () => { throw error } } }); ${code}`,
      );
      expect(run(httpInput()).fault).to.include({ code: 'plugin-threw', message: 'mine' });
    });
  }

  it('cannot bend the capabilities of its later invocations', async () => {
    const { run } = await startGuest(
      routeBundle(`
        try { Object.getPrototypeOf(ctx.kv).get = () => 'bent' } catch (error) { return error.name }
        return (await ctx.kv.get('a')) === 'bent';`),
    );
    const { response } = run(httpInput()).output as { response: { body: string } };
    expect(JSON.parse(response.body)).to.be.oneOf([false, 'TypeError']);
  });
});
