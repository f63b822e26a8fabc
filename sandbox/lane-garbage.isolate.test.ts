import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createLaneGarbage } from './lane-garbage.ts';
import { answerOf, jobIn, openTestSandbox } from './test-sandbox.ts';

const MIB = 1024 * 1024;
const ANSWER_UNITS = 64 * 1024;
const ANSWERS = 4_000;
const TOGETHER = 40;
const LIMITS = { cpuMs: 1_000, wallMs: 60_000 };

const peakMiB = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024;

describe('the garbage of a lane', () => {
  it('does not grow with what its guests have answered', async () => {
    const rig = await openTestSandbox();
    try {
      const [cordon] = rig.sandbox.status().cordons;
      const code = jobIn(`return 'x'.repeat(${ANSWER_UNITS});`);
      const answer = async () => expect(answerOf(await rig.run(code, { limits: LIMITS }))).to.have.length(ANSWER_UNITS);
      for (let done = 0; done < ANSWERS; done += TOGETHER) await Promise.all(Array.from({ length: TOGETHER }, answer));
      // They were 250 MiB together.
      expect(peakMiB(cordon!.pid)).to.be.lessThan(200);
    } finally {
      await rig.close();
    }
  });

  it('is no affair of plugins, which cannot have it collected', async () => {
    const rig = await openTestSandbox({ lanesPerCordon: 3 });
    try {
      expect(answerOf(await rig.run(jobIn('return [typeof gc, "gc" in globalThis];')))).to.deep.equal([
        'undefined',
        false,
      ]);
    } finally {
      await rig.close();
    }
  });

  it('is collected for long texts alone, and once for all of them', () => {
    let collections = 0;
    const garbage = createLaneGarbage(() => collections++);
    for (let units = 0; units < 64 * MIB; units += 1_000) garbage.note(1_000);
    garbage.collect();
    expect(collections).to.equal(0);
    garbage.note(40 * MIB);
    garbage.collect();
    garbage.collect();
    expect(collections).to.equal(1);
  });
});
