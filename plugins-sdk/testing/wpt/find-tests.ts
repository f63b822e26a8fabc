import fs from 'node:fs';
import path from 'node:path';

/** A test file of the checkout: its text, the scripts that it asks for by `META: script`, and why it cannot run here. */
export interface TestFile {
  /** From the root of the checkout, with `/`. */
  path: string;
  source: string;
  scripts: { path: string; source: string }[];
  skipped: string | null;
}

const BY_NAME: [pattern: RegExp, reason: string][] = [
  [/\.html?$|\.xhtml$|\.svg$/, 'needs a document'],
  [/\.h2\./, 'needs a server with HTTP/2'],
  [/\.sub\./, 'needs the server of web-platform-tests'],
  [/\.(worker|serviceworker|sharedworker)\.js$/, 'needs a worker'],
  [/shadowrealm/i, 'needs ShadowRealm'],
  [/crashtests\//, 'looks for crashes of browsers'],
];

/** What the text of a test or of its scripts says about where it can run. */
const BY_TEXT: [pattern: RegExp, reason: string][] = [
  [
    /\.py\b|\.asis\b|get-host-info|RESOURCES_DIR|\/common\/dispatcher|\.sub\.js|\bws:\/\/|wpt_server/,
    'needs the server of web-platform-tests',
  ],
  [/\bdocument\.|\bwindow\.open|<iframe/, 'needs a document'],
  [/new (?:Shared)?Worker\(/, 'needs a worker'],
  [/\bWebAssembly\./, 'needs WebAssembly'],
  [/\bMessageChannel\b|\bMessagePort\b/, 'needs MessageChannel'],
  [/\bnew FileReader\b|send-file-formdata-helper/, 'needs FileReader, or a form that a browser sends'],
  [/\bcreateObjectURL\b|\bMediaSource\b|\bcaches\./, 'needs object URLs or a cache'],
];

/** Tests that can run in several kinds of place: what is guarded by a look at the place does not tell what the test needs. */
const GUARDED = /GLOBAL\.isWindow\(\)|GLOBAL\.isWorker\(\)|typeof document|"document" in|'document' in/;

/** Every test below `folder`, in the order of their names; it may be one file. Throws where it is not there. */
export function findTests(checkout: string, folder: string): TestFile[] {
  if (fs.statSync(path.join(checkout, folder)).isFile()) return [readTest(checkout, folder)];
  const names = fs.readdirSync(path.join(checkout, folder), { recursive: true, encoding: 'utf8' });
  return names
    .map((name) => `${folder}/${name.split(path.sep).join('/')}`)
    .filter((name) => isTest(name))
    .sort()
    .map((name) => readTest(checkout, name));
}

const isTest = (name: string): boolean =>
  /\.(any|window|worker)\.js$|\.html?$|\.xhtml$/.test(name) &&
  !/(^|\/)(resources|support|tools)\//.test(name) &&
  !/-ref\.html$/.test(name);

function readTest(checkout: string, name: string): TestFile {
  const byName = BY_NAME.find(([pattern]) => pattern.test(name));
  if (byName) return { path: name, source: '', scripts: [], skipped: byName[1] };
  const source = fs.readFileSync(path.join(checkout, name), 'utf8');
  const scripts = metaOf(source, 'script').map((script) => readScript(checkout, name, script));
  const missing = scripts.find((script) => script.source === null);
  const found = scripts.filter((script): script is { path: string; source: string } => script.source !== null);
  return {
    path: name,
    source,
    scripts: found,
    skipped: missing ? `needs ${missing.path}, which is not in the checkout` : byText(source, found),
  };
}

function byText(source: string, scripts: { path: string; source: string }[]): string | null {
  const told = BY_TEXT.find(
    ([pattern, reason]) =>
      (pattern.test(source) && !(reason === 'needs a document' && GUARDED.test(source))) ||
      scripts.some((script) => script.path.endsWith('get-host-info.sub.js') && pattern.test(script.path)),
  );
  return told?.[1] ?? null;
}

/** What the server of web-platform-tests has under another name. */
const SERVED_FROM: Record<string, string> = { 'resources/WebIDLParser.js': 'resources/webidl2/lib/webidl2.js' };

function readScript(checkout: string, from: string, script: string): { path: string; source: string | null } {
  const where = script.startsWith('/') ? script.slice(1) : path.posix.join(path.posix.dirname(from), script);
  const file = path.join(checkout, SERVED_FROM[where] ?? where.replace(/\?.*$/, ''));
  return { path: where, source: fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null };
}

/** Values of the lines `// META: <key>=<value>`. */
const metaOf = (source: string, key: string): string[] =>
  [...source.matchAll(/^\/\/\s*META:\s*([a-z]+)=(.*)$/gm)]
    .filter(([, name]) => name === key)
    .map(([, , value]) => value!.trim());
