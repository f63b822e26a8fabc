import { expect } from 'chai';
import { build } from 'esbuild';
import { FAMILIES, type FamilyId } from './rules/families.ts';
import type { Finding } from './rules/scan-report.ts';
import { verdictOf } from './rules/verdict.ts';
import { scanCode } from './scan-code.ts';
import { BENIGN, MALICIOUS as CORPUS, type Labelled, OTHER_PLUGINS } from './test-corpus.ts';
import { VARIANTS } from './test-variants.ts';

/** The detectors and the corpus have the same author, so these bounds keep what is known; they promise nothing about what is not. */
const RECALL_MIN = 0.97;
const PRECISION_MIN = 0.97;

const MALICIOUS = [...CORPUS, ...VARIANTS];
/** What a scan has to know; each has malicious bundles of its own. */
const PROMISED: readonly FamilyId[] = [
  'dynamic-code',
  'constructor-chain',
  'prototype-tampering',
  'obfuscation',
  'hidden-characters',
  'hard-coded-secret',
  'slow-pattern',
  'undeclared',
  'mining',
  'oversized-literal',
  'dynamic-import',
  'global-tampering',
  'typosquatting',
  'licence',
  'install-behaviour',
];

describe('The static scan over a labelled corpus', () => {
  const scanned = new Map<Labelled, Finding[]>();
  before(async () => {
    for (const each of [...BENIGN, ...MALICIOUS]) {
      scanned.set(
        each,
        await scanCode(each.release, {
          otherPlugins: OTHER_PLUGINS,
          nowMs: () => performance.now(),
          onProgress: () => {},
        }),
      );
    }
  });
  const flagged = (each: Labelled) => verdictOf(scanned.get(each)!) === 'second-look';

  it('has at least 40 of each label, and two malicious ones for every family that is promised', () => {
    expect(BENIGN.length).to.be.at.least(40);
    expect(MALICIOUS.length).to.be.at.least(40);
    for (const family of PROMISED)
      expect(MALICIOUS.filter((each) => each.family === family).length, family).to.be.at.least(2);
  });

  it('asks for a second look at what is malicious, and hardly at anything else', () => {
    const missed = MALICIOUS.filter((each) => !flagged(each));
    const blamed = BENIGN.filter(flagged);
    const right = MALICIOUS.length - missed.length;
    const [recall, precision] = [right / MALICIOUS.length, right / (right + blamed.length)];
    process.stdout.write(
      `      ${BENIGN.length} benign, ${MALICIOUS.length} malicious: precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}\n`,
    );
    const shown = [
      ...missed.map(({ name }) => `missed: ${name}`),
      ...blamed.map((each) => `blamed: ${each.name} ${JSON.stringify(scanned.get(each))}`),
    ];
    expect(recall, shown.join('\n')).to.be.at.least(RECALL_MIN);
    expect(precision, shown.join('\n')).to.be.at.least(PRECISION_MIN);
  });

  it('names the family that a malicious bundle belongs to', () => {
    const named = (each: Labelled) => scanned.get(each)!.some(({ family }) => family === each.family);
    const misnamed = MALICIOUS.filter((each) => !named(each)).map(({ name, family }) => `${name} (${family})`);
    expect(misnamed).to.deep.equal([]);
  });

  it('says of every finding where it is, what it means and what to do', () => {
    for (const finding of [...scanned.values()].flat()) {
      expect(finding.explanation).to.match(/\.$/);
      expect(finding.fix).to.equal(FAMILIES[finding.family as FamilyId].fix);
      expect(finding.evidence.length).to.be.at.most(400);
      if (finding.place) expect(finding.place.line).to.be.at.least(1);
    }
    for (const each of MALICIOUS) {
      // A name that looks like another one stands in the manifest.
      const own = scanned.get(each)!.filter(({ family }) => family === each.family && family !== 'typosquatting');
      expect(
        own.every(({ place }) => place !== null),
        each.name,
      ).to.equal(true);
    }
  });

  it('does not ask for a second look at packages that many people use, which nobody wrote for this corpus', async () => {
    const { manifest } = BENIGN[0]!.release;
    for (const name of ['semver', 'uuid', 'date-fns']) {
      const { outputFiles } = await build({
        stdin: {
          contents: `import * as all from '${name}'; globalThis.__gatehouse_define(all);`,
          resolveDir: import.meta.dirname,
        },
        bundle: true,
        write: false,
        format: 'iife',
        platform: 'neutral',
        mainFields: ['module', 'main'],
      });
      const release = { manifest, code: outputFiles[0]!.text, sourceMap: null };
      const found = await scanCode(release, { otherPlugins: [], nowMs: () => performance.now(), onProgress: () => {} });
      expect(verdictOf(found), JSON.stringify(found.slice(0, 3))).to.not.equal('second-look');
    }
  });

  it('never repeats a secret in its report', () => {
    const secrets = MALICIOUS.filter(({ family }) => family === 'hard-coded-secret');
    const texts = secrets.flatMap((each) =>
      scanned
        .get(each)!
        .filter(({ family }) => family === 'hard-coded-secret')
        .map((finding) => JSON.stringify(finding)),
    );
    expect(texts).to.have.length.at.least(secrets.length);
    for (const text of texts) expect(text).to.not.match(/[A-Za-z0-9]{16,}/);
  });
});
