import { expect } from 'chai';
import fc from 'fast-check';
import { answerOf, jobIn, openTestSandbox, type TestSandbox } from './test-sandbox.ts';

const LIMITS = { cpuMs: 1_000, wallMs: 60_000, hostCalls: 200 };
const TEXTS = 40;
/** Turns of a millisecond and more are looked at by themselves. */
const WORK = 'for (let at = 0; at < 4e5; at += 1) sum = (sum * 31 + at) | 0;';

describe('long texts for a guest', () => {
  let rig: TestSandbox;
  before(async () => {
    rig = await openTestSandbox();
  });
  after(() => rig.close());

  const answering = (text: string) => async () => ({
    ok: true as const,
    json: JSON.stringify({ key: 'a', value: text, version: 1 }),
  });

  for (const [kind, character] of [
    ['US-ASCII', 'x'],
    ['Chinese', '\u6e38'],
  ] as const) {
    it(`in ${kind} are garbage of its heap like any other, and never gather beside it`, async () => {
      const code = jobIn(`
        let sum = 0;
        for (let text = 0; text < ${TEXTS}; text += 1) { sum += (await ctx.kv.get('a')).value.length; ${WORK} }
        return sum === 0;`);
      const outcome = await rig.run(code, { limits: LIMITS, hostCall: answering(character.repeat(60_000)) });
      expect(outcome.status).to.equal('completed');
      // They are 2.3 or 4.6 MiB together.
      expect(outcome.usage.externalMiB).to.be.below(0.5);
    });
  }

  it('arrive as they were, however they are cut', async () => {
    const code = jobIn(`return (await ctx.kv.get('a')).value;`);
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc
        .tuple(fc.constantFrom('x', '\u00e9', '\u6e38', '\u{1f579}'), fc.integer({ min: 0, max: 1_100 }))
        .map(([character, times]) => character.repeat(times)),
      fc.constantFrom(511, 512, 1_023, 1_024, 256 * 511, 256 * 1_023).map((units) => 'y'.repeat(units)),
    );
    // Eight of the longest are 2 MiB.
    const limits = { ...LIMITS, outputBytes: 8 * 1_024 * 1_024 };
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
        const text = pieces.join('');
        expect(answerOf(await rig.run(code, { limits, hostCall: answering(text) })) === text).to.equal(true);
      }),
      { numRuns: 60 },
    );
  });
});
