import { expect } from 'chai';
import { httpInput, routeBundle, startGuest } from './guest-in-context.ts';

async function logsOf(body: string, limits = {}) {
  const { run } = await startGuest(routeBundle(`${body}; return 1`));
  const { logs, fault, records } = run(httpInput(), { limits });
  expect(fault).to.equal(null);
  return { logs, records };
}

const messageOf = async (args: string, logBytes = 8_192) =>
  (await logsOf(`console.log(${args})`, { logBytes })).logs[0]!.message;

describe('console', () => {
  for (const [args, message] of [
    [`'a', 1, null, undefined, true, 10n, Symbol('s')`, 'a 1 null undefined true 10n Symbol(s)'],
    [
      `'%s is %d, %i, %f, %j %o %% %c|', 'x', '4', 4.9, '1.5', { a: 1 }, [1], 'css', 'rest'`,
      `x is 4, 4, 1.5, {"a":1} [ 1 ] % | rest`,
    ],
    [`'%s %s', 'one'`, 'one %s'],
    [`'100%', 1`, '100% 1'],
    [`{ a: 1, 'b-c': 'x', [Symbol('s')]: [1, [2]] }`, `{ a: 1, 'b-c': 'x', [Symbol(s)]: [ 1, [ 2 ] ] }`],
    [`["it's", 'q"q']`, `[ "it's", "q\\"q" ]`],
    ['new Map([[1, { a: 2 }]]), new Set([1])', 'Map(1) { 1 => { a: 2 } } Set(1) { 1 }'],
    ['new Date(0), /a/g, -0, NaN', '1970-01-01T00:00:00.000Z /a/g -0 NaN'],
    [
      '[, 1], [], {}, () => {}, function named() {}, class K {}',
      '[ <empty>, 1 ] [] {} [Function (anonymous)] [Function: named] [Function: K]',
    ],
    ['new (class Order { id = 1 })(), Object.create(null)', 'Order { id: 1 } [Object: null prototype] {}'],
    ['{ get x() { throw 1 } }', '{ x: [Getter] }'],
    ['new Uint8Array([1, 2])', 'Uint8Array(2) [ 1, 2 ]'],
    [
      '{ a: { b: { c: { d: { e: { f: 1 } } } } } }',
      '{\n  a: { b: { c: { d: { e: [Object] } } } }\n}'.replace('{\n  a', '{ a').replace('\n}', ' }'),
    ],
    [
      `new Headers([['A', 'b'], ['set-cookie', 'x'], ['set-cookie', 'y']])`,
      `Headers { a: 'b', 'set-cookie': 'x', 'set-cookie': 'y' }`,
    ],
    [
      `[new Headers()], new (class Mine extends Headers { extra = 1 })({ a: 'b' })`,
      `[ Headers {} ] Mine { a: 'b', extra: 1 }`,
    ],
    [`new URL('/b?c#d', 'https://a.example')`, `URL { href: 'https://a.example/b?c#d' }`],
    [`new URLSearchParams('a=1&a=2&b+c=3')`, `URLSearchParams { a: '1', a: '2', 'b c': '3' }`],
    [
      `new Request('https://a.example', { method: 'POST', body: 'x' })`,
      `Request {
  method: 'POST',
  url: 'https://a.example/',
  headers: Headers { 'content-type': 'text/plain;charset=UTF-8' },
  bodyUsed: false
}`,
    ],
    [
      `Response.json({}, { status: 201, statusText: 'Made' })`,
      `Response {
  status: 201,
  statusText: 'Made',
  url: '',
  headers: Headers { 'content-type': 'application/json' },
  bodyUsed: false
}`,
    ],
    [
      `(() => { const form = new FormData(); form.append('a', '1'); form.append('f', new Blob(['xyz']), 'n.txt'); return form })()`,
      `FormData {
  a: '1',
  f: File { name: 'n.txt', size: 3, type: '', lastModified: 1000000 }
}`,
    ],
    [`new Blob(['xyz'], { type: 'text/plain' })`, `Blob { size: 3, type: 'text/plain' }`],
    [
      `AbortSignal.abort('late'), new AbortController().signal`,
      `AbortSignal { aborted: true, reason: 'late' } AbortSignal { aborted: false }`,
    ],
    // Looks like one, and is none.
    [`Object.assign(Object.create(Headers.prototype), { a: 1 })`, `Headers { a: 1 }`],
    ['(() => { const a = { n: 1 }; a.self = a; return a })()', '{ n: 1, self: [Circular] }'],
  ]) {
    it(`shows ${args}`, async () => {
      expect(await messageOf(args!)).to.equal(message);
    });
  }

  it('shows what an object of the platform holds, whatever the plugin has made of its class', async () => {
    const { logs } = await logsOf(
      `Object.defineProperty(Response.prototype, 'status', { get() { throw new Error('called') } });
       Headers.prototype.entries = () => { throw new Error('called') };
       console.log(new Response(null, { status: 204, headers: { a: 'b' } }))`,
    );
    expect(logs[0]!.message).to.contain('status: 204').and.contain("Headers { a: 'b' }");
  });

  it('leaves out what is too much of an object of the platform', async () => {
    const list = `Array.from({ length: 1000 }, (_, i) => ['n' + i, 'v'])`;
    const message = await messageOf(`new URLSearchParams(${list})`, 64 * 1024);
    expect(message).to.contain('… 900 more');
    expect(message.length).to.be.below(9_000);
  });

  it('makes no part of the runtime that nobody used', async () => {
    const { logs } = await logsOf(
      `const lazy = ['URL', 'URLSearchParams', 'FormData', 'Blob', 'ReadableStream'];
       console.log(new Headers(), new Response('x'), AbortSignal.abort('x'), {}, new (class {})());
       console.log(lazy.filter((name) => 'value' in Object.getOwnPropertyDescriptor(globalThis, name)))`,
    );
    expect(logs[1]!.message).to.equal('[]');
  });

  it('shows an error with its stack and its fields', async () => {
    const message = await messageOf(`Object.assign(new TypeError('bad'), { code: 'E' })`);
    expect(message)
      .to.match(/^TypeError: bad\n {4}at .*bundle\.js/)
      .and.match(/\{ code: 'E' \}$/);
  });

  it('breaks long values into lines and leaves out what is too much', async () => {
    const message = await messageOf(
      `{ list: Array.from({ length: 1000 }, (_, i) => i), text: 'x'.repeat(100_000) }`,
      64 * 1024,
    );
    expect(message).to.contain('… 900 more').and.contain('\n');
    expect(message.length).to.be.below(9_000);
  });

  it('has the levels of its methods', async () => {
    const { logs } = await logsOf(
      `for (const level of ['debug', 'info', 'warn', 'error', 'log']) console[level](level); console.assert(false, 'a')`,
    );
    expect(logs.map(({ name, message }) => `${name} ${message}`)).to.deep.equal([
      'console:debug debug',
      'console:info info',
      'console:warn warn',
      'console:error error',
      'console:info log',
      'console:error Assertion failed: a',
    ]);
  });

  it('numbers its records, drops what is over the limit and says so once', async () => {
    const { logs, records } = await logsOf(`for (let n = 0; n < 50; n += 1) console.log('x'.repeat(100))`, {
      logBytes: 1_000,
    });
    expect(logs).to.have.length(9);
    expect(logs.at(-1)!).to.include({ name: 'console:warn' });
    expect(logs.at(-1)!.message).to.contain('1000 bytes');
    expect(records.filter(({ op }) => op === 'log').map(({ seq }) => seq)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('ctx.log', () => {
  it('writes a message and facts', async () => {
    const { logs } = await logsOf(`ctx.log.warn('low stock', { sku: 'a', left: 2 })`);
    expect(logs).to.deep.equal([{ name: 'log:warn', message: 'low stock', facts: { sku: 'a', left: 2 } }]);
  });

  it('never fails over facts that JSON cannot write', async () => {
    const { logs } = await logsOf(`const a = {}; a.a = a; ctx.log.info('x', a); ctx.log.info({ n: 1 }, [1])`);
    expect(logs).to.deep.equal([
      { name: 'log:info', message: 'x', facts: { facts: '{ a: [Circular] }' } },
      { name: 'log:info', message: '{ n: 1 }', facts: { facts: '[ 1 ]' } },
    ]);
  });

  it('says what an error among the facts is', async () => {
    const { logs } = await logsOf(
      `const error = Object.assign(new TypeError('no stock'), { code: 7, stack: 'TypeError: no stock' });
       ctx.log.error('failed', { sku: 'a', error }); ctx.log.error('failed', error);`,
    );
    const shown = 'TypeError: no stock { code: 7 }';
    expect(logs.map(({ facts }) => facts)).to.deep.equal([{ sku: 'a', error: shown }, { facts: shown }]);
  });
});
