import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { findPhases, GROUPS, groupOf } from './jobs.ts';

const root = path.resolve(import.meta.dirname, '../..');

describe('groupOf', () => {
  it('goes by the name of the file', () => {
    expect(groupOf('host/x.test.ts')).to.equal('unit');
    expect(groupOf('host/x.db.test.ts')).to.equal('db');
    expect(groupOf('sandbox/x.isolate.test.ts')).to.equal('isolate');
    expect(groupOf('bin/x.e2e.test.ts')).to.equal('e2e');
  });

  it('runs the tests of examples where isolates run', () => {
    expect(groupOf('examples/coin-duel/test/play.test.ts')).to.equal('isolate');
  });
});

describe('findPhases', () => {
  const jobs = findPhases(root, GROUPS).flatMap((phase) => phase.jobs);
  const files = jobs.flatMap((job) => (job.kind === 'mocha' ? job.files : []));

  it('finds every test file of the repository once', () => {
    expect(files).to.include('bin/testing/jobs.test.ts');
    expect(new Set(files).size).to.equal(files.length);
  });

  it('names tools that are there', () => {
    const tools = jobs.filter((job) => job.kind === 'tool');
    expect(tools).to.have.lengthOf(4);
    for (const { args } of tools) expect(fs.statSync(path.join(root, args[0]!)).isFile(), args[0]).to.equal(true);
  });

  it('leaves out the groups that were not asked for', () => {
    const groups = findPhases(root, ['check']).flatMap((phase) => phase.jobs.map(({ group }) => group));
    expect(new Set(groups)).to.deep.equal(new Set(['check']));
  });
});
