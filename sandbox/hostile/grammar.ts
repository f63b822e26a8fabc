import fc from 'fast-check';
import type { Limits } from '../../plugins-sdk/contract/index.ts';
import { jobIn } from './attack.ts';

/**
 * Plugins out of the building blocks of the corpus. Every program parses; most of them do something that the sandbox
 * must survive, many of them several such things at once, in an order that nobody would have written down.
 */
export interface FuzzedPlugin {
  code: string;
  limits: Partial<Limits>;
}

const VALUES = [
  '0',
  '-1',
  '2 ** 32 - 1',
  '2 ** 53',
  'Number.NaN',
  '10n ** 20n',
  'null',
  'undefined',
  '""',
  '"x".repeat(1e5)',
  '"\\ud800"',
  '"__proto__"',
  'Symbol("s")',
  'Symbol.iterator',
  '[]',
  '[1, [2, [3]]]',
  'new Array(1e5)',
  '{}',
  'Object.create(null)',
  'globalThis',
  'ctx',
  'ctx.kv',
  'ctx.log',
  'job',
  'Promise.resolve(1)',
  'Promise.reject(2)',
  'new Map([[1, 2]])',
  'new Set("abc")',
  'new Uint8Array(1_000)',
  'new ArrayBuffer(64)',
  'new ReadableStream()',
  'new ReadableStream({ type: "bytes", pull: (c) => c.enqueue(new Uint8Array(64)) })',
  'new ReadableStream({ pull: (c) => c.enqueue(kept) })',
  'new WritableStream({ write: (chunk) => kept.push(chunk) })',
  'new TransformStream()',
  'new CompressionStream("gzip")',
  'new FormData()',
  'new Blob(["x".repeat(100)])',
  'new Date()',
  '/(a+)+$/g',
  'new Error("fuzz")',
  '() => spin(1e4)',
  'function () { return this; }',
  'class { static #x = 1; }',
  'ctx.kv.get',
  'Error',
  'Function',
  'Object.prototype',
  'Array.prototype',
  'Promise.prototype',
  'ReadableStream.prototype',
  'Response.prototype',
  'new Proxy({}, traps)',
  'new Proxy(function () {}, traps)',
  '{ then(done) { done(kept.length); } }',
  '{ toJSON() { return kept; } }',
  '{ toString() { throw evil; }, valueOf() { spin(1e4); return 1; } }',
  '{ get message() { throw evil; }, get stack() { return "s".repeat(1e4); } }',
  '{ *[Symbol.iterator]() { yield* kept; } }',
  'evil',
] as const;

const KEYS = [
  'then',
  'toJSON',
  'constructor',
  '__proto__',
  'prototype',
  'length',
  'name',
  'message',
  'stack',
  'cause',
  'get',
  'set',
  'value',
  'next',
  'code',
  '0',
  'turn',
  'push',
  'call',
  'apply',
] as const;

const CALLS = [
  (a: string, b: string) => `console.log(${a}, ${b})`,
  (a: string, b: string) => `ctx.log.warn(${a}, ${b})`,
  (a: string, b: string) => `await ctx.kv.set(${a}, ${b})`,
  (a: string) => `await ctx.kv.get(${a})`,
  (a: string, b: string) => `await ctx.kv.list({ prefix: ${a}, limit: ${b} })`,
  (a: string, b: string) => `ctx.kv.increment(${a}, ${b}).catch((error) => kept.push(error))`,
  (a: string) => `structuredClone(${a})`,
  (a: string) => `JSON.stringify(${a})`,
  (a: string) => `String(${a})`,
  (a: string, b: string) => `Object.assign(${a}, ${b})`,
  (a: string, b: string) => `Object.setPrototypeOf(${a}, ${b})`,
  (a: string) => `Object.freeze(${a})`,
  (a: string, b: string) => `Reflect.construct(${a}, [${b}])`,
  (a: string, b: string) => `Reflect.apply(${a}, ${b}, [${a}])`,
  (a: string, b: string) => `new Response(${a}, { status: ${b} })`,
  (a: string, b: string) => `new Headers([[${a}, ${b}]])`,
  (a: string, b: string) => `new Request(${a}, ${b})`,
  (a: string) => `await new Response(${a}).text()`,
  (a: string) => `new Response(${a}).clone().formData().catch((error) => kept.push(error))`,
  (a: string, b: string) => `new ReadableStream(${a}, ${b})`,
  (a: string, b: string) => `ReadableStream.from(${a}).pipeThrough(${b})`,
  (a: string, b: string) => `await (${a}).pipeTo(${b})`,
  (a: string) => `(${a}).tee()`,
  (a: string) => `await (${a}).getReader({ mode: 'byob' }).read(new Uint8Array(8))`,
  (a: string) => `new DecompressionStream('deflate').writable.getWriter().write(${a})`,
  (a: string, b: string) => `new FormData().append(${a}, ${b})`,
  (a: string, b: string) => `new Blob(${a}, ${b})`,
  (a: string) => `new URL(${a})`,
  (a: string, b: string) => `setTimeout(${a}, ${b})`,
  (a: string) => `queueMicrotask(${a})`,
  (a: string) => `crypto.getRandomValues(${a})`,
  (a: string) => `Array.from(${a})`,
  (a: string, b: string) => `Array.prototype.concat.call(${a}, ${b})`,
  (a: string) => `(${a}).constructor.constructor("return globalThis")()`,
  (a: string) => `import(${a})`,
  (a: string) => `new TextDecoder().decode(${a})`,
  (a: string, b: string) => `new EventTarget().addEventListener(${a}, ${b})`,
  (a: string) => `new Intl.DateTimeFormat(${a}).format(${a})`,
  (a: string, b: string) => `AbortSignal.any([${a}, ${b}])`,
  (a: string) => `globalThis.turn?.(${a}, "")`,
] as const;

const PRELUDE = `const kept = [];
const evil = new Proxy(new Error('evil'), { get() { throw new TypeError('trapped'); } });
const spin = (times) => { for (let n = 0; n < times; n += 1); };
const traps = { get: (_, key) => (key === 'then' ? undefined : kept), has: () => true, ownKeys: () => ['a', 'a'], getPrototypeOf: () => Array.prototype };`;

const value = fc.constantFrom(...VALUES);
const key = fc.constantFrom(...KEYS).map((name) => `["${name}"]`);

const { statement } = fc.letrec<{ statement: string; expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    value.map((one) => `(${one})`),
    fc.tuple(fc.constantFrom(...CALLS), tie('expression'), value).map(([call, a, b]) => call(a, `(${b})`)),
    fc.tuple(tie('expression'), key).map(([owner, name]) => `(${owner})${name}`),
  ),
  statement: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('expression').map((one) => `try { kept.push(${one}); } catch (error) { kept.push(error); }`),
    tie('expression').map((one) => `kept.push(${one});`),
    fc.tuple(value, key, tie('expression')).map(([owner, name, one]) => `try { (${owner})${name} = ${one}; } catch {}`),
    fc
      .tuple(value, key, fc.constantFrom('get', 'value', 'set'), value)
      .map(
        ([owner, name, kind, one]) =>
          `try { Object.defineProperty((${owner}), ${name}[0], { ${kind}: ${kind === 'value' ? one : `() => (${one})`}, configurable: true }); } catch {}`,
      ),
    fc
      .tuple(fc.integer({ min: 1, max: 40 }), tie('statement'))
      .map(([times, body]) => `for (let n = 0; n < ${times}; n += 1) { ${body} }`),
    tie('statement').map((body) => `queueMicrotask(async () => { ${body} });`),
    tie('statement').map((body) => `setTimeout(async () => { ${body} }, 0);`),
    tie('statement').map((body) => `await (async () => { ${body} })();`),
    fc
      .tuple(tie('statement'), tie('statement'))
      .map(([body, end]) => `try { ${body} } catch { ${end} } finally { ${end} }`),
    fc.constantFrom(
      'while (true) spin(1e6);',
      'for (;;) kept.push(new Array(1_000).fill(kept.length));',
      'await new Promise(() => {});',
      'const again = () => Promise.resolve().then(again); await again();',
      'const fall = () => fall() + 1; fall();',
      'Promise.reject(evil);',
      'Array.prototype.indexOf.call({ length: 2 ** 40 }, 1);',
      'for (const name of Reflect.ownKeys(Promise.prototype)) try { Promise.prototype[name] = evil; } catch {}',
      'Error.prepareStackTrace = (_, sites) => kept.push(...sites);',
      'Object.prototype.toJSON = () => kept;',
    ),
  ),
}));

const ending = fc.oneof(
  value.map((one) => `return (${one});`),
  value.map((one) => `throw (${one});`),
  fc.constant('return kept;'),
  fc.constant('return kept.map(String).join();'),
);

export const fuzzedPlugin: fc.Arbitrary<FuzzedPlugin> = fc
  .record({
    before: fc.array(statement, { maxLength: 1 }),
    statements: fc.array(statement, { minLength: 1, maxLength: 6 }),
    ending,
    heapMiB: fc.constantFrom(8, 32),
  })
  .map(({ before, statements, ending: end, heapMiB }) => ({
    code: jobIn(
      [...statements, end].join('\n'),
      `${PRELUDE}\nconst ctx = {}, job = {};\n(async () => { ${before.join('\n')} })().catch(() => {});`,
    ),
    limits: { heapMiB, wallMs: 2_000 },
  }));
