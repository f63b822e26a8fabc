import { expect } from 'chai';
import { codeOf, jobIn, openTestSandbox, type TestSandbox } from './test-sandbox.ts';

const HEAP_MIB = 8;
const LIMITS = { heapMiB: HEAP_MIB, cpuMs: 30_000, wallMs: 60_000, hostCalls: 200 };
/** Turns of a millisecond and more are looked at by themselves. */
const WORK = 'for (let at = 0; at < 4e5; at += 1) sum = (sum * 31 + at) | 0;';
/** So many doubles take 128 KiB. */
const DOUBLES = 16_384;
const STEPS = 110;

describe('the heap limit of an isolate', () => {
  let rig: TestSandbox;
  before(async () => {
    rig = await openTestSandbox();
  });
  after(() => rig.close());

  const inSteps = (step: string) =>
    jobIn(`
    let sum = 0;
    const kept = [];
    for (let at = 0; at < ${STEPS}; at += 1) { await ctx.kv.get('a'); ${step} ${WORK} }
    return [sum, kept.length];`);

  for (const [kind, units] of [
    ['short', 10],
    ['long', 10_000],
  ] as const) {
    it(`ends what holds more than it, in however small steps, with ${kind} texts from the host`, async () => {
      const value = 'x'.repeat(units);
      const hostCall = async () => ({ ok: true as const, json: JSON.stringify({ key: 'a', value, version: 1 }) });
      const keeps = inSteps(`kept.push(new Array(${DOUBLES}).fill(at + 0.5));`);
      const outcome = await rig.run(keeps, { limits: LIMITS, hostCall, installation: kind });
      expect(codeOf(outcome)).to.equal('heap-limit');
      expect(outcome.usage.heapMiB).to.be.within(HEAP_MIB, HEAP_MIB + 2);
    });
  }

  it('is no limit of what becomes garbage', async () => {
    const drops = inSteps(`sum += new Array(${DOUBLES * 16}).fill(at + 0.5).length;`);
    expect(codeOf(await rig.run(drops, { limits: LIMITS, installation: 'drops' }))).to.equal('completed');
  });
});
