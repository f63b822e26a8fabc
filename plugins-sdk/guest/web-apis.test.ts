import { expect } from 'chai';
import { evaluateInGuest, httpInput, routeBundle, startGuest } from './guest-in-context.ts';

/** The same code must answer the same here and in the platform's own implementation. */
const SAME_AS_PLATFORM: [what: string, body: string][] = [
  [
    'Headers joins, sorts, deletes and keeps cookies apart',
    `const h = new Headers({ B: '2', a: ' 1 ' });
     h.append('b', '3'); h.append('Set-Cookie', 'x=1'); h.append('set-cookie', 'y=2'); h.set('C', 'c'); h.delete('A');
     const seen = []; h.forEach((value, name) => seen.push(name + value));
     return [[...h], [...h.keys()], [...h.values()], h.get('B'), h.has('nope'), h.get('nope'), h.getSetCookie(), seen, [...new Headers([['x', 'y']])],
       [...new Headers(h)]]`,
  ],
  [
    'Headers refuses names and values that HTTP cannot carry',
    `const results = [];
     for (const [name, value] of [['a b', '1'], ['', '1'], ['a', 'b\\r\\nc: d'], ['a', '\\0'], ['ü', '1'], ['a', '€'], ['a', 'é']]) {
       try { new Headers().append(name, value); results.push('ok') } catch (error) { results.push(error.name) }
     }
     return results`,
  ],
  [
    'Response has the defaults of Fetch',
    `const all = [new Response(), new Response('x'), new Response(new Uint8Array([104, 105])), new Response(null, { status: 204 }),
       Response.json({ a: 1 }), Response.json(1, { status: 201, headers: { 'content-type': 'a/b' } }), Response.redirect('https://a.b/c d', 303)];
     return Promise.all(all.map(async (r) => [r.status, r.ok, r.type, r.statusText, [...r.headers], r.bodyUsed, await r.text(), r.bodyUsed]))`,
  ],
  [
    'Response refuses what Fetch refuses',
    `const results = [];
     for (const make of [() => new Response('', { status: 199 }), () => new Response('', { status: 600 }), () => new Response('x', { status: 204 }),
       () => Response.json(undefined), () => Response.redirect('nope'), () => Response.redirect('https://a.b', 200)]) {
       try { make(); results.push('ok') } catch (error) { results.push(error.name) }
     }
     return results`,
  ],
  [
    'bodies are read once, and clones on their own',
    `const r = new Response('{"a":1}'); const copy = r.clone(); const first = await r.json();
     const again = await r.text().catch((error) => error.name);
     const late = (() => { try { r.clone() } catch (error) { return error.name } })();
     return [first, again, late, [...new Uint8Array(await copy.arrayBuffer())]]`,
  ],
  [
    'Request normalises method and address',
    `const r = new Request('https://EXAMPLE.com:443/a/../b?x=1#f', { method: 'post', body: new URLSearchParams({ a: '1 2' }) });
     const copy = new Request(r, { headers: { x: 'y' } });
     return [r.method, r.url, r.headers.get('content-type'), copy.method, copy.headers.get('x'), await copy.text(), r.bodyUsed || true]`,
  ],
  [
    'URL and URLSearchParams',
    `const u = new URL('../x y?a=1&a=2#h', 'https://user:pw@ex.com:8080/p/q/'); u.searchParams.append('b', 'ü&'); u.hash = '';
     return [u.href, u.origin, u.host, u.username, u.pathname, u.search, u.searchParams.getAll('a'), JSON.stringify(u), URL.canParse('nope'),
       [...new URLSearchParams('?q=a+b&q=%20')], new URLSearchParams([['a', 'b']]).toString(), new URLSearchParams('a=1').has('a')]`,
  ],
  [
    'text codecs, base64 and their refusals',
    `const bytes = new TextEncoder().encode('aé€😀\\ud800');
     const decoder = new TextDecoder();
     const parts = [decoder.decode(bytes.slice(0, 4), { stream: true }), decoder.decode(bytes.slice(4))];
     const name = (use) => { try { return use() } catch (error) { return error.name } };
     return [[...bytes], parts, new TextDecoder('utf8').decode(new Uint8Array([0xef, 0xbb, 0xbf, 97])), btoa('hi\\xff'), atob('aGn/'),
       name(() => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255]))), name(() => atob('*')), name(() => btoa('€')),
       new TextEncoder().encodeInto('é€', new Uint8Array(4)), name(() => new TextDecoder('nope'))]`,
  ],
  [
    'structuredClone keeps kinds and cycles',
    `const a = { date: new Date(5), map: new Map([[{ k: 1 }, new Set([1])]]), list: [1, , 3], bytes: new Uint8Array([1, 2]), re: /x/gi, big: 1n, u: undefined };
     a.self = a;
     const b = structuredClone(a);
     const error = structuredClone(new RangeError('r'));
     const refused = (value) => { try { structuredClone(value) } catch (error) { return error.name } };
     return [b !== a, b.self === b, b.date.getTime(), [...b.map.keys()], [...[...b.map.values()][0]], 1 in b.list, b.list.length, [...b.bytes], String(b.re),
       String(b.big), 'u' in b, error instanceof RangeError, error.message, refused(() => {}), refused({ s: Symbol() })]`,
  ],
  [
    'structuredClone refuses what would be lost, and takes no name of an error for a class',
    `const iterators = [[].values(), new Map().keys(), new Set().keys(), ''[Symbol.iterator](), 'a'.matchAll(/a/g), [].values().map(String), (function* () {})(), (async function* () {})()];
     const others = [Promise.resolve(), new (class extends Promise {})(() => {}), new WeakMap(), new WeakSet(), new Intl.NumberFormat('en'), new Intl.Locale('en'), Temporal.Duration.from('P1D'), Temporal.PlainDate.from('2020-01-01')];
     const error = (name) => structuredClone(Object.assign(new Error('m'), { name }));
     return [...iterators, ...others].map((value) => { try { return typeof structuredClone({ value }) } catch (error) { return error.name } })
       .concat(['constructor', 'toString', '__proto__', 'TypeError'].map((name) => [error(name).name, error(name).message, error(name) instanceof Error]))`,
  ],
  [
    'events and abort signals',
    `const seen = []; const target = new EventTarget();
     const listener = (event) => { seen.push(event.type); event.preventDefault() };
     target.addEventListener('a', listener); target.addEventListener('a', listener); target.addEventListener('a', { handleEvent: () => seen.push('object') }, { once: true });
     const going = target.dispatchEvent(new Event('a', { cancelable: true })); target.removeEventListener('a', listener); target.dispatchEvent(new Event('a'));
     const controller = new AbortController(); const any = AbortSignal.any([controller.signal]);
     controller.signal.addEventListener('abort', () => seen.push('abort')); any.onabort = () => seen.push('any');
     controller.abort(); controller.abort();
     const thrown = (() => { try { controller.signal.throwIfAborted() } catch (error) { return [error.name, error.code, error instanceof DOMException] } })();
     return [seen, going, thrown, AbortSignal.abort('why').reason, any.aborted]`,
  ],
  [
    'signals of several abort with the first of them, in the order in which they were made',
    `const seen = []; const [one, two] = [new AbortController(), new AbortController()]; const both = [one.signal, two.signal];
     const [first, second, unheard, late] = [AbortSignal.any(both), AbortSignal.any(both), AbortSignal.any(both), AbortSignal.any(both)];
     const nested = AbortSignal.any([unheard, AbortSignal.any([])]); const never = AbortSignal.any([]);
     second.addEventListener('abort', () => seen.push('second ' + second.reason)); first.onabort = () => seen.push('first ' + nested.aborted);
     late.onabort = () => seen.push('never'); late.onabort = null; nested.addEventListener('abort', () => seen.push('nested'), { once: true });
     one.signal.addEventListener('abort', () => { two.abort(2); seen.push('one ' + first.aborted + unheard.aborted) });
     two.signal.addEventListener('abort', () => seen.push('two'));
     one.abort(1); first.addEventListener('abort', () => seen.push('too late')); two.abort(3);
     const thrown = (() => { try { late.throwIfAborted() } catch (error) { return error } })();
     const target = new EventTarget(); target.addEventListener('x', () => seen.push('removed'), { signal: unheard }); target.dispatchEvent(new Event('x'));
     return [seen, [first, second, unheard, late, nested, AbortSignal.any([two.signal, nested])].map(({ reason }) => reason), never.aborted, thrown]`,
  ],
  [
    'microtasks come in order',
    `const seen = []; queueMicrotask(() => seen.push(2)); Promise.resolve().then(() => seen.push(3)); seen.push(1); await null; await null; await null; return seen`,
  ],
];

const AsyncFunction = (async () => {}).constructor as new (body: string) => () => Promise<unknown>;

describe('Web APIs', () => {
  for (const [what, body] of SAME_AS_PLATFORM) {
    it(`answer as the platform's own: ${what}`, async () => {
      const platform = JSON.parse(JSON.stringify(await new AsyncFunction(body)()));
      expect(await evaluateInGuest(body)).to.deep.equal(platform);
    });
  }

  it('give the request of the invocation as it came', async () => {
    const { run } = await startGuest(
      routeBundle(
        `const copy = request.clone(); return [request.method, request.url, [...request.headers], await request.json(), await copy.text(), request.signal.aborted]`,
      ),
    );
    const { output } = run(
      httpInput({
        method: 'PUT',
        headers: [
          ['X-B', '1'],
          ['x-b', '2'],
        ],
        body: '{"n":1}',
        url: 'https://a.b/c?d',
      }),
    );
    expect(JSON.parse((output as { response: { body: string } }).response.body)).to.deep.equal([
      'PUT',
      'https://a.b/c?d',
      [['x-b', '1, 2']],
      { n: 1 },
      '{"n":1}',
      false,
    ]);
  });

  it('give binary request bodies as bytes', async () => {
    const { run } = await startGuest(routeBundle(`return [...new Uint8Array(await request.arrayBuffer())]`));
    const { output } = run(httpInput({ method: 'POST', body: 'AP8=', bodyEncoding: 'base64' }));
    expect((output as { response: { body: string } }).response.body).to.equal('[0,255]');
  });

  it('have the names that libraries look for', async () => {
    expect(
      await evaluateInGuest(`return [navigator.userAgent, self === globalThis, ...[Request, Response, Headers, URL, URLSearchParams, TextEncoder,
        AbortController, DOMException, setTimeout, structuredClone].map((each) => each.name), String(new Response()), Object.keys(globalThis)]`),
    ).to.deep.equal([
      'Gatehouse',
      true,
      'Request',
      'Response',
      'Headers',
      'URL',
      'URLSearchParams',
      'TextEncoder',
      'AbortController',
      'DOMException',
      'setTimeout',
      'structuredClone',
      '[object Response]',
      ['enter'],
    ]);
  });

  it('limit random values per call as Web Crypto does', async () => {
    expect(
      await evaluateInGuest(`
        const name = (view) => { try { return crypto.getRandomValues(view).length } catch (error) { return error.name } };
        return [name(new Uint8Array(65536)), name(new Uint8Array(65537)), name(new Float64Array(1)), name([])]`),
    ).to.deep.equal([65_536, 'QuotaExceededError', 'TypeMismatchError', 'TypeError']);
  });
});
