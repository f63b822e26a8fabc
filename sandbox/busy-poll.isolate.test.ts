import type { Writable } from 'node:stream';
import { expect } from 'chai';
import { FrameReader } from './frames.ts';
import { confinementOf, cordonLauncher, type LaunchCordon } from './launch-cordon.ts';
import { answerOf, jobIn, openTestSandbox } from './test-sandbox.ts';

const CODE = jobIn('return 1;');

/** Reads along what the host says to lanes, and keeps the last number of each head that is a list: for how long the lane is to look. */
async function readAlong(): Promise<{ launch: LaunchCordon; looks: number[] }> {
  const launchCordon = await cordonLauncher(await confinementOf('auto'));
  const looks: number[] = [];
  const tap = (toLane: Writable) => {
    const write = toLane.write.bind(toLane) as (bytes: Buffer) => boolean;
    const reader = new FrameReader((head) => Array.isArray(head) && looks.push(head.at(-1)));
    toLane.write = (bytes: Buffer) => {
      reader.push(bytes);
      return write(bytes);
    };
  };
  const launch: LaunchCordon = (size) => {
    const cordon = launchCordon(size);
    for (const { toLane } of cordon.lanes) tap(toLane);
    return cordon;
  };
  return { launch, looks };
}

describe('one invocation after the other', () => {
  for (const busyPollUs of [0, 700]) {
    it(`makes the lane look for the next one for ${busyPollUs} us`, async () => {
      const { launch, looks } = await readAlong();
      const rig = await openTestSandbox({ busyPollUs }, launch);
      try {
        // The second one that is warm comes soon enough on any machine that is not busy just then.
        for (let call = 0; call < 500; call++) expect(answerOf(await rig.run(CODE))).to.equal(1);
        const expected = busyPollUs === 0 ? [0] : [0, busyPollUs];
        expect([...new Set(looks)].sort((one, other) => one - other)).to.deep.equal(expected);
        expect(looks.length).to.equal(500);
      } finally {
        await rig.close();
      }
    });
  }
});

describe('createSandbox', () => {
  it('refuses a time to poll that is no whole number of microseconds, or too many', async () => {
    for (const busyPollUs of [-1, 0.5, 1_001, Number.NaN]) {
      const opened = openTestSandbox({ busyPollUs }).then((rig) => rig.close());
      expect(await opened.catch((error) => error)).to.be.an.instanceOf(RangeError);
    }
  });
});
