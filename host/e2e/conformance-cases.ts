import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { ProblemCode } from '../http/problem-codes.ts';

/** One thing that a plugin does, which must end alike in `gate dev`, in the test harness and on a host. */
export interface ConformanceCase {
  that: string;
  /** Body of an async function of `request`, `ctx` and the helpers of PREAMBLE: a route's handler, or a hook's. */
  code: string;
  /** Code of the fault or refusal; an answer where absent. */
  ends?: ProblemCode;
  /** Lines of log. */
  writes?: number;
  request?: {
    method?: string;
    path?: string;
    headers?: Record<string, string>;
    body?: string | Uint8Array<ArrayBuffer>;
  };
  /** Runs as the hook `order.paid` with this payload instead. */
  payload?: Json;
}

/** Top-level code of the plugin. */
export const PREAMBLE = `
class OwnError extends Error { name = 'OwnError'; detail = { a: 1 }; }
function deeper(n: number): never { if (n > 0) deeper(n - 1); throw new RangeError('too deep'); }
const later = (ms = 1) => new Promise((resolve) => setTimeout(resolve, ms));
`;

const answers: ConformanceCase[] = [
  { that: 'answers JSON', code: 'return { a: [1, null, true, "é\\u2028"], n: 1e21, z: -0 };' },
  { that: 'answers lone surrogates', code: 'return { text: "\\ud800 and \\udc00" };' },
  { that: 'answers a number, as JSON', code: 'return 7;' },
  { that: 'answers null', code: 'return null;' },
  { that: 'answers text', code: 'return new Response("plain – text");' },
  { that: 'answers bytes', code: 'return new Response(new Uint8Array([0, 255, 128, 10]));' },
  { that: 'answers nothing', code: 'return new Response(null, { status: 204 });' },
  {
    that: 'answers a status and headers of its own',
    code: 'return new Response("{}", { status: 418, headers: { "content-type": "application/x-own; a=b", "x-own": "é".normalize("NFD").slice(0, 1), "x-two": "a, b" } });',
  },
  {
    that: 'answers a redirect',
    code: 'return new Response(null, { status: 303, headers: { location: "/elsewhere?a=1" } });',
  },
  {
    that: 'answers with toJSON and a Date',
    code: 'return { at: new Date(0), own: { toJSON: () => "mine" }, skip: undefined };',
  },
  { that: 'answers a large body', code: 'return new Response("x".repeat(200_000));' },
  {
    that: 'reads parameters, query and headers',
    code: 'return [ctx.params, [...new URL(request.url).searchParams], request.headers.get("x-sent"), request.method];',
    request: { path: '?a=1&b=%C3%A9&a=2', headers: { 'x-sent': 'yes' } },
  },
  {
    that: 'reads its path as the caller wrote it',
    code: 'return new URL(request.url).pathname.slice(-4);',
    request: { path: '' },
  },
  {
    that: 'reads a JSON body',
    code: 'return await request.json();',
    request: { method: 'POST', body: '{"a":[1,2,{"b":"é"}]}', headers: { 'content-type': 'application/json' } },
  },
  {
    that: 'reads a binary body',
    code: 'return [...new Uint8Array(await request.arrayBuffer())];',
    request: { method: 'POST', body: new Uint8Array([0, 254, 255]) },
  },
  {
    that: 'looks for what the host keeps from plugins',
    code: 'return ["cookie", "x-forwarded-for", "x-gatehouse-own", "forwarded", "x-sent"].map((name) => request.headers.get(name));',
    request: {
      headers: {
        cookie: 'a=b',
        'x-forwarded-for': '203.0.113.1',
        'x-gatehouse-own': '1',
        forwarded: 'for=x',
        'x-sent': 'yes',
      },
    },
  },
  {
    that: 'answers headers that the host keeps from callers',
    code: 'return new Response("", { headers: { "set-cookie": "a=b", "x-own": "\\u00e9", "x-two": "kept" } });',
  },
  { that: 'knows what kind of caller asks', code: 'return ctx.caller?.kind;' },
  {
    that: 'knows what kind of caller delivers',
    code: 'return ctx.caller?.kind;',
    payload: { orderId: 'o-0', lines: [{ sku: 'a', quantity: 1 }] },
  },
  { that: 'knows its configuration', code: 'return ctx.config;' },
];

const world: ConformanceCase[] = [
  {
    that: 'sees a clock that stands still within a turn',
    code: 'const a = Date.now(); for (let n = 0; n < 1e5; n++) Math.sqrt(n); return [Date.now() - a, performance.now() >= 0];',
  },
  {
    that: 'sees one locale and one time zone',
    code: 'return [new Date(0).toString(), (1234.5).toLocaleString(), new Date(0).toLocaleDateString(), new Date(0).getTimezoneOffset()];',
  },
  { that: 'finds the same globals', code: 'return Object.getOwnPropertyNames(globalThis).sort();' },
  {
    that: 'finds no engine to hide in',
    code: 'return ["WebAssembly", "SharedArrayBuffer", "Atomics", "process", "require", "Buffer"].map((name) => typeof globalThis[name]);',
  },
  {
    that: 'has random values that are random',
    code: 'const id = crypto.randomUUID(); return [id.length, id[14], Math.random() < 1, Math.random() !== Math.random()];',
  },
  {
    that: 'waits for timers in order',
    code: 'const seen = []; await Promise.all([5, 1, 3].map(async (ms) => { await later(ms); seen.push(ms); })); return seen.length;',
  },
  {
    that: 'cannot evaluate text',
    code: 'try { return typeof eval("1"); } catch (error) { return [error.name, error.message]; }',
  },
  {
    that: 'prints errors as text',
    code: 'try { deeper(2); } catch (error) { return [String(error), error instanceof RangeError]; }',
  },
];

const capabilities: ConformanceCase[] = [
  {
    that: 'stores and reads',
    code: 'const { version } = await ctx.kv.set("k", { n: 1 }); return [typeof version, await ctx.kv.get("k").then(({ value }) => value), await ctx.kv.delete("k")];',
  },
  {
    that: 'is told what is wrong with a call',
    code: 'return await ctx.kv.set("", 1).catch((error) => [error.name, error.code, error.message]);',
  },
  {
    that: 'is told of a conflict',
    code: 'await ctx.kv.set("c", 1); return await ctx.kv.set("c", 2, { ifVersion: 0 }).catch((error) => [error.name, error.code, error.message]);',
  },
  {
    that: 'counts, lists and transacts, and is told what does not fit',
    code: `
      const told = (work) => work.then((value) => value, (error) => [error.name, error.code, error.message]);
      await ctx.kv.set('t', 'text');
      return [
        await told(ctx.kv.increment('n', 2)),
        await told(ctx.kv.increment('t')),
        await told(ctx.kv.delete('t', { ifVersion: 9 })),
        await told(ctx.kv.set('big', 'x'.repeat(1024 * 1024))),
        await told(ctx.kv.transaction([{ check: 't', version: 99 }, { set: 'u', value: 1 }])),
        await told(ctx.kv.transaction([{ set: 'u', value: 1 }, { increment: 't' }])),
        (await ctx.kv.list({ prefix: 't' })).entries.map(({ key, value }) => [key, value]),
      ];`,
  },
  {
    that: 'fails with the refusal of a call',
    ends: 'plugin-threw',
    code: 'await ctx.kv.set("c2", 1); await ctx.kv.set("c2", 2, { ifVersion: 0 });',
  },
  {
    that: 'calls for what was not granted',
    code: 'return typeof ctx.notify === "undefined" ? "absent" : await ctx.notify.send({ title: "t", text: "x" }).catch((error) => [error.name, error.code, error.message]);',
  },
];

const logs: ConformanceCase[] = [
  {
    that: 'logs at every level, with facts',
    writes: 4,
    code: 'ctx.log.debug("d"); ctx.log.info("i", { a: [1] }); ctx.log.warn("w"); ctx.log.error("e", { deep: { b: null } }); return 1;',
  },
  {
    that: 'writes to the console',
    writes: 3,
    code: 'console.log("a %s %d", "b", 3, { c: [1, new Map([[1, 2]])] }); console.error(new OwnError("told")); console.debug(undefined, null, Symbol("s")); return 1;',
  },
  {
    that: 'logs and then fails',
    writes: 1,
    ends: 'plugin-threw',
    code: 'console.info("before"); await later(); throw new Error("after");',
  },
];

const failures: ConformanceCase[] = [
  { that: 'throws', ends: 'plugin-threw', code: 'throw new TypeError("plain");' },
  { that: 'throws from below', ends: 'plugin-threw', code: 'deeper(3);' },
  { that: 'throws an error of its own', ends: 'plugin-threw', code: 'throw new OwnError("own");' },
  {
    that: 'throws an error with causes',
    ends: 'plugin-threw',
    code: 'throw new Error("outer", { cause: new RangeError("inner", { cause: "text" }) });',
  },
  {
    that: 'throws several at once',
    ends: 'plugin-threw',
    code: 'throw new AggregateError([new Error("one"), new TypeError("two")], "both");',
  },
  { that: 'throws after a wait', ends: 'plugin-threw', code: 'await later(); throw new Error("late");' },
  { that: 'throws after a call', ends: 'plugin-threw', code: 'await ctx.kv.get("k"); null.x;' },
  { that: 'throws text', ends: 'plugin-threw', code: 'throw "text";' },
  { that: 'throws nothing', ends: 'plugin-threw', code: 'throw undefined;' },
  { that: 'throws an object', ends: 'plugin-threw', code: 'throw { message: "object", code: 7 };' },
  { that: 'returns nothing', ends: 'plugin-answer-invalid', code: 'return undefined;' },
  { that: 'returns a function', ends: 'plugin-answer-invalid', code: 'return () => 1;' },
  { that: 'returns what has no JSON', ends: 'plugin-answer-invalid', code: 'return { n: 1n };' },
  { that: 'returns a circle', ends: 'plugin-answer-invalid', code: 'const a = {}; a.a = a; return a;' },
  { that: 'answers an impossible status', ends: 'plugin-threw', code: 'return new Response("", { status: 99 });' },
  { that: 'never answers', ends: 'plugin-never-answered', code: 'await new Promise(() => {});' },
  { that: 'spins', ends: 'cpu-limit', code: 'for (;;);' },
  { that: 'answers too much', ends: 'output-too-large', code: 'return new Response("x".repeat(2 * 1024 * 1024));' },
  {
    that: 'calls too often',
    ends: 'host-call-limit',
    code: 'for (let n = 0; n < 200; n++) await ctx.kv.get("k"); return 1;',
  },
  { that: 'overflows its stack', ends: 'plugin-threw', code: 'const f = () => f(); f();' },
];

const refusals: ConformanceCase[] = [
  {
    that: 'is asked for a path that it does not have',
    ends: 'plugin-route-unknown',
    code: 'return 1;',
    request: { path: '/below' },
  },
  {
    that: 'is asked with a method that it does not have',
    ends: 'method-not-allowed',
    code: 'return 1;',
    request: { method: 'DELETE' },
  },
  {
    that: 'is sent too large a body',
    ends: 'body-too-large',
    code: 'return 1;',
    request: { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) },
  },
];

const hooks: ConformanceCase[] = [
  {
    that: 'handles an event',
    code: 'return { got: request.payload, id: request.eventId, hook: request.hook };',
    payload: { orderId: 'o-1', lines: [{ sku: 'a', quantity: 2 }] },
  },
  {
    that: 'fails in a hook',
    ends: 'plugin-threw',
    code: 'throw new OwnError("in a hook");',
    payload: { orderId: 'o-2', lines: [{ sku: 'a', quantity: 1 }] },
  },
  {
    that: 'returns nothing from a hook',
    code: 'return undefined;',
    payload: { orderId: 'o-3', lines: [{ sku: 'a', quantity: 1 }] },
  },
  {
    that: 'is sent an event that does not fit',
    ends: 'hook-payload-invalid',
    code: 'return 1;',
    payload: { orderId: 7 },
  },
];

export const CONFORMANCE_CASES = [...answers, ...world, ...capabilities, ...logs, ...failures, ...refusals, ...hooks];
