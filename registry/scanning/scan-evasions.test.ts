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
const scan = (code: string, sourceMap: ScannedRelease['sourceMap'] = null): Promise<Finding[]> =>
  scanCode({ manifest, code, sourceMap }, { otherPlugins: [], nowMs: () => performance.now(), onProgress: () => {} });
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
});
