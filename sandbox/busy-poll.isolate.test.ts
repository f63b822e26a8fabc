import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { answerOf, jobIn, openTestSandbox } from './test-sandbox.ts';

const CALLS = 400;
/** Enough for a machine that does something else, too. */
const POLL_US = 1_000;
const CODE = jobIn('return 1;');

/** How often the threads of a process have gone to sleep. */
function sleepsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const statuses = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1'));
  return statuses.reduce((sum, status) => sum + Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)![1]), 0);
}

describe('one invocation after the other', () => {
  before(function () {
    if (process.platform !== 'linux' || availableParallelism() < 2) this.skip();
  });

  /** How often their cordon slept in the course of `CALLS` invocations. */
  const sleepsIn = async (busyPollUs: number): Promise<number> => {
    const rig = await openTestSandbox({ busyPollUs });
    try {
      const { pid } = rig.sandbox.status().cordons[0]!;
      for (let call = 0; call < 50; call++) await rig.run(CODE);
      const before = sleepsOf(pid);
      for (let call = 0; call < CALLS; call++) expect(answerOf(await rig.run(CODE))).to.equal(1);
      return sleepsOf(pid) - before;
    } finally {
      await rig.close();
    }
  };

  it('wakes its lane each time where polling is off, and not half as often where it is on', async () => {
    const [off, on] = [await sleepsIn(0), await sleepsIn(POLL_US)];
    expect(off).to.be.at.least(CALLS);
    expect(on).to.be.below(off / 2);
  });
});

describe('createSandbox', () => {
  it('refuses a time to poll that is no whole number of microseconds', async () => {
    for (const busyPollUs of [-1, 0.5, Number.NaN]) {
      const opened = openTestSandbox({ busyPollUs }).then((rig) => rig.close());
      expect(await opened.catch((error) => error)).to.be.an.instanceOf(RangeError);
    }
  });
});
