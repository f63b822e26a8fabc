import { expect } from 'chai';
import fc from 'fast-check';
import semver from 'semver';
import { compareVersions } from './version.ts';
import { isTag, newestInRange, readVersionWish } from './version-range.ts';

const of = (...versions: string[]) => versions.map((version) => ({ version }));
const newest = (range: string, ...versions: string[]) => newestInRange(range, of(...versions))?.version ?? null;
const part = fc.nat(4);
const versions = fc
  .tuple(part, part, part, fc.option(fc.constantFrom('alpha.1', 'beta', 'rc.2'), { nil: null, freq: 3 }))
  .map(([major, minor, patch, suffix]) => `${major}.${minor}.${patch}${suffix === null ? '' : `-${suffix}`}`);
const ranges = fc
  .tuple(fc.constantFrom('^', '~', '>=', '<', '', '='), part, part, part)
  .map(([operator, major, minor, patch]) => `${operator}${major}.${minor}.${patch}`);

describe('wishes for a version', () => {
  it('are one version, a range or the latest', () => {
    expect(readVersionWish('1.2.3')).to.deep.equal({ kind: 'exact', version: '1.2.3' });
    expect(readVersionWish(' 1.2.3-rc.1 ')).to.deep.equal({ kind: 'exact', version: '1.2.3-rc.1' });
    for (const range of ['^1.2', '~1.2.3', '1.x', '1', '*', '>=1.2 <2 || 3.0.x', 'latest']) {
      expect(readVersionWish(range), range).to.deep.equal({ kind: 'range', range });
    }
  });

  it('are nothing else', () => {
    for (const bad of ['', ' ', 'Newest', '^', '1.2.3+build', '^1.2 and more', 'v', '\0', `^${'1'.repeat(64)}`]) {
      expect(readVersionWish(bad), bad).to.equal(null);
    }
  });
});

describe('newestInRange', () => {
  it('takes the newest that fits, in whichever order they are listed', () => {
    expect(newest('^1.2', '2.0.0', '1.2.9', '1.10.0', '1.9.9')).to.equal('1.10.0');
    expect(newest('~1.2.3', '1.2.2', '1.2.10', '1.3.0')).to.equal('1.2.10');
    expect(newest('latest', '1.0.0', '2.0.0', '3.0.0-rc.1')).to.equal('2.0.0');
    expect(newest('latest', '3.0.0-rc.1')).to.equal('3.0.0-rc.1');
  });

  it('has no answer where nothing fits', () => {
    expect(newest('^2', '1.0.0', '2.0.0-rc.1')).to.equal(null);
    expect(newest('latest')).to.equal(null);
  });

  it('takes what a channel points at, whatever is newer', () => {
    const items = [
      { version: '2.0.0', tags: [] },
      { version: '1.0.0-beta', tags: ['beta', 'next'] },
    ];
    expect(newestInRange('beta', items)?.version).to.equal('1.0.0-beta');
    expect(newestInRange('canary', items)).to.equal(null);
    expect(['beta', 'next-2'].map(isTag)).to.deep.equal([true, true]);
    expect(['latest', 'x', 'v1', '1', 'Beta', 'a b', ''].some(isTag)).to.equal(false);
  });

  it('takes a pre-release only where the range names one', () => {
    expect(newest('^1.2', '1.2.0', '1.3.0-beta')).to.equal('1.2.0');
    expect(newest('^1.3.0-alpha', '1.2.0', '1.3.0-beta')).to.equal('1.3.0-beta');
  });

  it('never leaves the range, and nothing in the range is newer', () => {
    fc.assert(
      fc.property(ranges, fc.array(versions, { maxLength: 12 }), (range, all) => {
        const found = newest(range, ...all);
        const fitting = all.filter((version) => semver.satisfies(version, range));
        expect(found === null).to.equal(fitting.length === 0);
        if (found === null) return;
        expect(fitting).to.include(found);
        for (const version of fitting) expect(compareVersions(version, found)).to.be.at.most(0);
      }),
    );
  });
});
