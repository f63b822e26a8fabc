import fs from 'node:fs';
import path from 'node:path';
import { Script } from 'node:vm';
import type { TestFile } from './find-tests.ts';

/** What a line of the log begins with that carries a result. */
export const RESULT_MARK = 'wpt-result ';

const NAME_UNITS_MAX = 300;

/**
 * A bundle whose job `run` executes one test file: testharness.js, the scripts that the test asks for, and the test. Each
 * result is logged when it is there, so that what a test reached counts even if the rest of it never ends. After `timeoutMs`
 * the harness is told that time is up.
 */
export function testBundle(
  checkout: string,
  harness: string,
  { path: name, source, scripts }: TestFile,
  timeoutMs: number,
): string {
  const resources = Object.fromEntries([
    ...resourcesOf(checkout, name, [source, ...scripts.map((script) => script.source)]),
  ]);
  return `__gatehouse_define({ schedule: { run: () => new Promise((__resolve) => { (function () {
const __resources = ${JSON.stringify(resources)};
${PROLOGUE}
var location = { href: 'https://wpt.example/${name}', protocol: 'https:', host: 'wpt.example', hostname: 'wpt.example', origin: 'https://wpt.example', pathname: '/${name}', search: '', hash: '', port: '' };
${RELATIVE}
${harness}
;
add_result_callback((t) => console.log(${JSON.stringify(RESULT_MARK)} + __stringify([String(t.name).slice(0, ${NAME_UNITS_MAX}), t.status, String(t.message ?? '').slice(0, ${NAME_UNITS_MAX})])));
add_completion_callback((tests, status) => __resolve([status.status, String(status.message ?? '').slice(0, ${NAME_UNITS_MAX}), tests.length]));
setup({ explicit_timeout: true });
setTimeout(() => timeout(), ${timeoutMs});
${scripts.map((script) => script.source).join('\n;\n')}
;
${usesIdl(scripts) ? `${AS_WORKER}\n${evaluating(source)}` : ''}
${globalFunctions(scripts.map((script) => script.source))}
(function () {
${source}
}).call(globalThis);
}).call(globalThis); }) } });`;
}

/** Pages resolve addresses against their own; a plugin has none, so that the tests get one here. */
const RELATIVE = `{
  const NativeRequest = Request, redirect = Response.redirect, absolute = (input) => (typeof input === 'string' ? new URL(input, location.href).href : input);
  self.Request = new Proxy(NativeRequest, { construct: (target, [input, ...rest], made) => Reflect.construct(target, [absolute(input), ...rest], made) });
  Response.redirect = (url, ...rest) => redirect.call(Response, absolute(url), ...rest);
}`;

/** What a shell that runs these tests has, and a plugin has not; nothing that a test could mistake for a Web API under test. */
const PROLOGUE = `
const __stringify = JSON.stringify.bind(JSON), __parse = JSON.parse.bind(JSON);
self.GLOBAL = { isWindow: () => false, isWorker: () => false, isShadowRealm: () => false };
if (Object.keys(__resources).length > 0) {
  const answer = (text) => new Response(text, { headers: { 'content-type': 'text/plain' } });
  self.fetch = async (url) => {
    if (Object.hasOwn(__resources, String(url))) return answer(__resources[String(url)]);
    throw new TypeError('There is no such resource: ' + url);
  };
}`;

const usesIdl = (scripts: TestFile['scripts']): boolean =>
  scripts.some(({ path: file }) => file.endsWith('idlharness.js'));

/** idlharness.js asks what kind of place it is in; a plugin is most like a worker, without what only workers have. */
const AS_WORKER = 'self.DedicatedWorkerGlobalScope = { [Symbol.hasInstance]: () => true };';

/** idlharness.js makes objects of texts such as `new URL("http://foo")`; here they are part of the bundle, as all code is. */
function evaluating(source: string): string {
  const texts = new Set(
    [...source.matchAll(/'([^'\\\n]+)'|"([^"\\\n]+)"/g)].map(([, single, double]) => (single ?? double)!),
  );
  const cases = [...texts].filter(isExpression).map((text) => `case ${JSON.stringify(text)}: return (${text});`);
  return `var eval = (text) => { switch (text) { ${cases.join(' ')} default: throw new ReferenceError('not a part of the bundle: ' + text); } };`;
}

function isExpression(text: string): boolean {
  try {
    new Script(`(${text})`);
    return true;
  } catch {
    return false;
  }
}

/** Scripts of a page declare their functions as globals, and some are looked for there. */
function globalFunctions(scripts: string[]): string {
  const names = new Set(
    scripts.flatMap((script) => [...script.matchAll(/^(?:async )?function (\w+)\(/gm)].map(([, name]) => name!)),
  );
  return [...names].map((name) => `if (typeof ${name} === 'function') globalThis.${name} = ${name};`).join('\n');
}

/** Files of the checkout that the texts name in a string: what they would fetch from the server. */
function* resourcesOf(checkout: string, from: string, texts: string[]): Generator<[string, string]> {
  const named = new Set(
    texts.flatMap((text) => [...text.matchAll(/["'`]([./\w-]+\.(?:json|txt))["'`]/g)].map(([, url]) => url!)),
  );
  if (texts.some((text) => text.includes('idl_test(')))
    for (const name of idlNames(texts)) named.add(`/interfaces/${name}.idl`);
  for (const url of named) {
    const file = path.join(checkout, url.startsWith('/') ? url : path.posix.join(path.posix.dirname(from), url));
    if (fs.existsSync(file)) yield [url, fs.readFileSync(file, 'utf8')];
  }
}

/** The specifications that `idl_test([these], [and these], ...)` names. */
function idlNames(texts: string[]): string[] {
  const call = /idl_test\(\s*\[([^\]]*)\]\s*,\s*\[([^\]]*)\]/.exec(texts[0]!);
  return call ? [...`${call[1]},${call[2]}`.matchAll(/["']([\w.-]+)["']/g)].map(([, name]) => name!) : [];
}
