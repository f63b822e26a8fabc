import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { runPhases } from './run-job.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Runs one test file with the given contents through real mocha. */
async function runFile(contents: string) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'run-job-'));
  const file = path.join(folder, 'x.test.mjs');
  fs.writeFileSync(file, contents);
  const log = console.log;
  console.log = () => {};
  try {
    const job = { group: 'unit', name: 'x', kind: 'mocha', files: [path.relative(root, file)] } as const;
    const [result] = await runPhases({ root, coverage: false }, [
      { atOnce: 1, jobs: [{ ...job, files: [...job.files] }] },
    ]);
    return result!;
  } finally {
    console.log = log;
    fs.rmSync(folder, { recursive: true });
  }
}

describe('runPhases', () => {
  it('counts the tests of a file', async () => {
    const { passed, failures, skipped } = await runFile(`
      it('passes', () => {});
      it('fails', () => { throw new Error('on purpose'); });
      it.skip('is skipped', () => {});
    `);
    expect({ passed, failures, skipped }).to.deep.equal({
      passed: 1,
      failures: ['fails: on purpose'],
      skipped: ['is skipped'],
    });
  });

  it('counts what a process had passed before it crashed, and the crash', async () => {
    const { passed, failures } = await runFile(`
      it('passes', () => {});
      it('crashes', () => process.abort());
    `);
    expect(passed).to.equal(1);
    expect(failures).to.deep.equal(['crashed (SIGABRT) in: crashes']);
  });

  it('fails a file that throws while it is loaded', async () => {
    expect((await runFile(`throw new Error('broken')`)).failures[0]).to.include('could not load its tests');
  });

  it('fails a file that holds an only', async () => {
    expect((await runFile(`it.only('alone', () => {})`)).failures).to.have.lengthOf(1);
  });

  it('fails a file without tests', async () => {
    expect((await runFile(`export {}`)).failures[0]).to.include('declares no tests');
  });
});
