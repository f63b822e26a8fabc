import { expect } from 'chai';
import type { Job } from './jobs.ts';
import { readRecord, type TestEvent } from './read-record.ts';
import { closingLine } from './summary.ts';

const recordOf = (...events: TestEvent[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('');
const start: TestEvent = { type: 'start', files: ['a.test.ts'] };
const begin: TestEvent = { type: 'begin', title: 'sum adds' };

describe('readRecord', () => {
  it('counts what passed, failed and was skipped', () => {
    const fail: TestEvent = { type: 'fail', title: 'sum subtracts', message: 'expected 1' };
    const record = recordOf(start, begin, { type: 'pass' }, { type: 'skip', title: 'sum divides' }, fail, {
      type: 'end',
    });
    expect(readRecord(['a.test.ts'], record, 1)).to.deep.equal({
      passed: 1,
      failures: ['sum subtracts: expected 1'],
      skipped: ['sum divides'],
    });
  });

  it('counts a crash as a failure that names the test, and keeps what had passed', () => {
    const { passed, failures } = readRecord(['a.test.ts'], recordOf(start, begin, { type: 'pass' }, begin), 'SIGABRT');
    expect(passed).to.equal(1);
    expect(failures).to.deep.equal(['crashed (SIGABRT) in: sum adds']);
  });

  it('fails a file that cannot be loaded, whatever the exit code', () => {
    expect(readRecord(['a.test.ts'], '', 0).failures).to.deep.equal([
      'a.test.ts could not load its tests (exit code 0)',
    ]);
  });

  it('fails a file without tests', () => {
    const { failures } = readRecord(['a.test.ts', 'b.test.ts'], recordOf(start, { type: 'end' }), 0);
    expect(failures).to.deep.equal(['b.test.ts declares no tests']);
  });

  it('fails a file that leaves something running', () => {
    const record = recordOf(start, { type: 'end' }, { type: 'stuck', resources: ['Timeout'] });
    expect(readRecord(['a.test.ts'], record, 1).failures).to.deep.equal(['a.test.ts left something running: Timeout']);
  });

  it('fails when the process ends badly after its tests have passed', () => {
    const { failures } = readRecord(['a.test.ts'], recordOf(start, begin, { type: 'pass' }, { type: 'end' }), 3);
    expect(failures).to.deep.equal(['a.test.ts ended with exit code 3 after its tests had passed']);
  });
});

describe('closingLine', () => {
  it('sums all jobs up', () => {
    const job: Job = { group: 'unit', name: 'x', kind: 'mocha', files: [] };
    const results = [
      { job, passed: 3, failures: [], skipped: ['a'], tookMs: 1 },
      { job, passed: 1, failures: ['b', 'c'], skipped: [], tookMs: 1 },
    ];
    expect(closingLine(results)).to.equal('4 passed, 2 failed, 1 skipped');
  });
});
