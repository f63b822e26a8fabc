import { expect } from 'chai';
import { newerInRange, outLongEnough } from './follow-policies.ts';

const published = (...versions: string[]) =>
  versions.map((version) => ({
    plugin: 'acme/shop',
    releaseId: `id of ${version}`,
    version,
    tags: [],
    publishedAt: '2030-01-01T00:00:00Z',
    deprecated: null,
  }));
const newer = (version: string, follows: string, ...versions: string[]) =>
  newerInRange({ version, follows }, published(...versions)).map((each) => each.version);

describe('newerInRange', () => {
  it('gives what a policy allows, the newest first, and nothing that is not newer', () => {
    expect(newer('1.1.0', '^1', '1.0.0', '1.1.0', '1.2.0', '1.10.0', '2.0.0')).to.deep.equal(['1.10.0', '1.2.0']);
    expect(newer('1.10.0', '^1', '1.0.0', '1.1.0', '1.10.0')).to.deep.equal([]);
    expect(newer('3.0.0', '^1', '1.0.0', '2.0.0')).to.deep.equal([]);
  });

  it('gives whoever follows the latest no pre-release as long as there is another', () => {
    expect(newer('1.0.0', 'latest', '1.0.0', '2.0.0', '3.0.0-rc.1')).to.deep.equal(['2.0.0']);
    expect(newer('2.0.0', 'latest', '1.0.0', '2.0.0', '3.0.0-rc.1')).to.deep.equal([]);
  });

  it('ends after the newest ten', () => {
    const many = Array.from({ length: 30 }, (_, minor) => `1.${minor}.0`);
    expect(newer('1.0.0', '^1', ...many)).to.have.length(10);
  });
});

describe('outLongEnough', () => {
  it('leaves out what has not been out for the delay, to the second', () => {
    const versions = published('1.0.0');
    const outAtMs = Date.parse('2030-01-01T00:00:00Z');
    expect(outLongEnough(versions, 0, outAtMs)).to.have.length(1);
    expect(outLongEnough(versions, 60, outAtMs + 59_999)).to.deep.equal([]);
    expect(outLongEnough(versions, 60, outAtMs + 60_000)).to.deep.equal(versions);
  });
});
