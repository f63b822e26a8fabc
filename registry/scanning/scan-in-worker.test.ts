import { expect } from 'chai';
import fc from 'fast-check';
import { bundlePlugin } from '../../plugins-sdk/bundle-plugin.ts';
import type { Manifest } from '../../plugins-sdk/contract/index.ts';
import { FAMILY_FINDINGS_MAX, FINDINGS_MAX, type Finding } from './rules/scan-report.ts';
import { distance, skeleton, takenFor } from './rules/similar-names.ts';
import { bounded, reportOf, verdictOf } from './rules/verdict.ts';
import { scanInWorker } from './scan-in-worker.ts';

const manifest = { name: 'scanned', publisher: 'acme-labs', title: 'Scanned', description: 'Is scanned.' } as Manifest;
const scanned = (code: string, options = {}) =>
  scanInWorker({ manifest, code, sourceMap: null }, { otherPlugins: [], ...options });
const scan = async (code: string, options = {}) => (await scanned(code, options)).findings;

describe('scanInWorker', () => {
  it('finds the place in the file of the author, and tells how far it is', async () => {
    const { mkdtemp, mkdir, rm, writeFile } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const path = await import('node:path');
    const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-scan-'));
    try {
      await mkdir(path.join(folder, 'src'));
      await writeFile(
        path.join(folder, 'src/evil.ts'),
        'export type Text = string;\n\nexport const run = (text: Text) =>\n  eval(text);\n',
      );
      await writeFile(
        path.join(folder, 'src/index.ts'),
        "import { run } from './evil.ts';\nexport default { routes: { 'GET /': () => run('1') } };\n",
      );
      const { code, sourceMap } = await bundlePlugin({ folder, manifest: { entry: 'src/index.ts' } });
      const percents: number[] = [];
      const { findings } = await scanInWorker(
        { manifest, code, sourceMap },
        { otherPlugins: [], onProgress: (percent) => percents.push(percent) },
      );
      const found = findings.find(({ family }) => family === 'dynamic-code');
      expect(found?.place).to.deep.equal({ file: 'src/evil.ts', line: 4, column: 3 });
      expect(percents).to.deep.equal([...percents].sort((one, other) => one - other));
      expect(percents.at(-1)).to.equal(100);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  for (const [name, code] of [
    ['brackets without end', '('.repeat(500_000)],
    ['a sum of a hundred thousand parts', `${'a+'.repeat(100_000)}a`],
    ['lists in lists', '['.repeat(20_000) + ']'.repeat(20_000)],
    ['what is no JavaScript', 'let let = (;'],
    ['functions in functions', `${'(()=>'.repeat(5_000)}1${')'.repeat(5_000)}`],
  ] as const) {
    it(`asks for a second look at ${name}, which it cannot read`, async () => {
      const findings = await scan(code);
      expect(findings.map(({ family }) => family)).to.include('incomplete');
      expect(verdictOf(findings)).to.equal('second-look');
    });
  }

  it('ends a scan that takes too long, and says so', async () => {
    const [finding] = await scan('1;', { timeMsMax: 1 });
    expect(finding?.explanation).to.equal('The scan took more than 1 ms.');
  });

  it('ends a scan that takes too much memory, and says so', async () => {
    const [finding] = await scan(`x = [${'{a:[1,2,{b:3}]},'.repeat(150_000)}];`, { heapMiBMax: 32 });
    expect(finding?.explanation).to.equal('The scan needed more than 32 MiB.');
  });

  it('brings home no more findings than a report holds, and says how many there were', async () => {
    const { findings, omitted } = await scanned('kept = 1;\n'.repeat(2_000));
    expect(findings).to.have.length(FAMILY_FINDINGS_MAX);
    expect(omitted).to.equal(2_000 - FAMILY_FINDINGS_MAX);
    const report = reportOf({ findings, omitted }, findings.slice(0, 1), null);
    expect(report).to.include({ verdict: 'notes', omitted: omitted + 1 });
  });

  it('is not blinded by a name that is declared elsewhere', async () => {
    const findings = await scan('function other(eval) { return eval; }\n(function () { return eval(input); })();');
    expect(findings.map(({ family }) => family)).to.include('dynamic-code');
  });
});

describe('The verdict of a scan', () => {
  const finding = (severity: Finding['severity']): Finding => ({
    family: 'mining',
    severity,
    place: null,
    explanation: 'x',
    fix: 'y',
    evidence: '',
  });

  it('is as severe as the worst finding', () => {
    expect(verdictOf([])).to.equal('clean');
    expect(verdictOf([finding('info')])).to.equal('clean');
    expect(verdictOf([finding('low'), finding('medium')])).to.equal('notes');
    expect(verdictOf([finding('low'), finding('high')])).to.equal('second-look');
    expect(verdictOf(Array(300_000).fill(finding('low')))).to.equal('notes');
  });

  it('survives the bounds of the report, whatever hides it', () => {
    const severities = fc.constantFrom<Finding['severity']>('info', 'low', 'medium', 'high', 'blocking');
    fc.assert(
      fc.property(fc.array(severities, { maxLength: 400 }), (list) => {
        const all = list.map(finding);
        const { findings, omitted } = bounded(all);
        expect(findings.length + omitted).to.equal(all.length);
        expect(findings.length).to.be.at.most(FINDINGS_MAX);
        expect(verdictOf(findings)).to.equal(verdictOf(all));
      }),
    );
  });
});

describe('Names that are taken for others', () => {
  it('have one skeleton, whatever script or digit is used', () => {
    expect(skeleton('pаypal')).to.equal(skeleton('paypal'));
    expect(skeleton('rnodern')).to.equal(skeleton('modem'));
    expect(takenFor('stream-keys', ['stream-keys'])).to.equal(null);
    expect(takenFor('weather', ['parcels'])).to.equal(null);
  });

  it('are measured alike from both sides', () => {
    const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
    const same = fc.property(word, word, (one, other) => distance(one, other, 8) === distance(other, one, 8));
    fc.assert(same);
    expect(distance('lodahs', 'lodash', 2)).to.equal(1);
  });
});
