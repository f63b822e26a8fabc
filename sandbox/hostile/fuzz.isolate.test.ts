import { expect } from 'chai';
import fc from 'fast-check';
import { createFuzzer } from './check-fuzzed.ts';
import { fuzzedPlugin } from './grammar.ts';
import { openRig } from './rig.ts';

/** `node sandbox/hostile/fuzz.ts --seed <seed> --path <path>` shows the plugin of a failure again. */
const SEED = 20_261_121;
const PLUGINS_MAX = 250;
const SECONDS_MAX = 20;

describe('The sandbox', () => {
  it('survives plugins that nobody has thought of, and so do their neighbours', async function () {
    this.timeout(180_000);
    const rig = await openRig();
    try {
      const { check, neighbour } = createFuzzer(rig);
      await fc.assert(
        fc.asyncProperty(fuzzedPlugin, async (plugin) => {
          expect(await check(plugin), plugin.code).to.equal('');
        }),
        { seed: SEED, numRuns: PLUGINS_MAX, interruptAfterTimeLimit: SECONDS_MAX * 1_000 },
      );
      expect(neighbour.tally.answered).to.be.greaterThan(0);
    } finally {
      await rig.close();
    }
  });
});
