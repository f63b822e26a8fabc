import { expect } from 'chai';
import type { CallDivergence, Outcome, RecordedCalls, SandboxRefusal } from './index.ts';
import { answerOf, codeOf, entry, jobIn, openTestSandbox, type RunOptions, type TestSandbox } from './test-sandbox.ts';

/** Everything that the world can tell a plugin: two calls at once, timers, the clock of every turn, random values. */
const CURIOUS = jobIn(`
  const slow = ctx.kv.get('slow');
  const quick = await ctx.kv.get('quick');
  const seen = [quick.value, Date.now(), Math.random()];
  await new Promise((resolve) => setTimeout(resolve, 5));
  seen.push((await slow).value, Date.now(), crypto.randomUUID());
  console.log('seen', seen.length);
  return seen;`);

describe('a recorded invocation', () => {
  let rig: TestSandbox;
  let clockMs: number;
  let told: CallDivergence[];
  before(async () => {
    rig = await openTestSandbox();
  });
  after(() => rig.close());
  beforeEach(() => {
    clockMs = 1_000;
    told = [];
  });

  const recorded = (code: string, options: RunOptions = {}) =>
    rig.run(code, {
      id: 'recorded',
      record: 'always',
      // The clock goes on with every look at it, so that no two turns show the same.
      nowMs: () => clockMs++,
      hostCall: async (call) => {
        if (call.args.includes('slow')) await new Promise((resolve) => setTimeout(resolve, 20));
        return entry(call);
      },
      ...options,
    });
  const replayed = (code: string, record: RecordedCalls, options: RunOptions = {}) => {
    clockMs = 1_000;
    const before = rig.calls.length;
    const outcome = rig.run(code, {
      id: 'recorded',
      installation: 'elsewhere',
      nowMs: () => 1_000,
      replay: { ...record, onDivergence: (divergence) => told.push(divergence) },
      ...options,
    });
    return outcome.finally(() => expect(rig.calls, 'calls of the host').to.have.length(before));
  };
  const recordOf = ({ recorded: record }: Outcome): RecordedCalls => record!;
  const refusalOf = async (run: Promise<Outcome>) =>
    run.then(codeOf, (error: unknown) => (error as SandboxRefusal).code);

  it('gives the same bytes again without asking the host', async () => {
    const first = await recorded(CURIOUS);
    const again = await replayed(CURIOUS, recordOf(first));
    expect((again as { output: string }).output).to.equal((first as { output: string }).output);
    expect(answerOf(first)).to.include.members([2]);
    expect(recordOf(first).calls.map(({ name }) => name)).to.deep.equal(['kv.get', 'kv.get', 'timer']);
    // Results in the order in which the plugin saw them: the second call was answered first.
    expect(recordOf(first).turns[0]!.seq).to.equal(2);
    expect(told).to.deep.equal([]);
  });

  it('gives the same fault again, with its stack', async () => {
    const code = jobIn(`const entry = await ctx.kv.get('a'); throw new RangeError('entry ' + entry.value);`);
    const first = await recorded(code, { record: 'on-fault' });
    const again = await replayed(code, recordOf(first));
    expect(again).to.have.property('status', 'faulted');
    expect((again as { fault: object }).fault).to.deep.equal((first as { fault: object }).fault);
  });

  it('is kept only where that was asked for', async () => {
    expect(await recorded(CURIOUS, { record: undefined })).to.not.have.property('recorded');
    expect(await recorded(CURIOUS, { record: 'on-fault' })).to.not.have.property('recorded');
  });

  it('survives the death of its cordon', async () => {
    const run = recorded(CURIOUS, {
      hostCall: async (call) => {
        if (call.seq === 2) for (const { pid } of rig.sandbox.status().cordons) process.kill(pid, 'SIGKILL');
        return entry(call);
      },
    });
    const first = await run;
    expect(first.usage.executions).to.equal(2);
    const again = await replayed(CURIOUS, recordOf(first));
    expect((again as { output: string }).output).to.equal((first as { output: string }).output);
  });

  it('is interrupted by a call that is not the recorded one, which is told', async () => {
    const first = await recorded(jobIn(`return await ctx.kv.get('a');`));
    const changed = jobIn(`return await ctx.kv.get('b');`);
    expect(await refusalOf(replayed(changed, recordOf(first)))).to.equal('sandbox-interrupted');
    expect(told).to.deep.equal([
      { seq: 1, expected: { name: 'kv.get', args: '{"key":"a"}' }, got: { name: 'kv.get', args: '{"key":"b"}' } },
    ]);
  });

  it('is interrupted by a call more than were recorded, which is told', async () => {
    const first = await recorded(jobIn('return 1;'));
    const changed = jobIn(`return await ctx.kv.get('b');`);
    expect(await refusalOf(replayed(changed, recordOf(first)))).to.equal('sandbox-interrupted');
    expect(told).to.deep.equal([{ seq: 1, expected: null, got: { name: 'kv.get', args: '{"key":"b"}' } }]);
  });

  it('lets an answer with fewer calls count, and tells of it', async () => {
    const first = await recorded(jobIn(`await ctx.kv.get('a'); return 1;`));
    expect(answerOf(await replayed(jobIn('return 2;'), recordOf(first)))).to.equal(2);
    expect(told).to.deep.equal([{ seq: 1, expected: { name: 'kv.get', args: '{"key":"a"}' }, got: null }]);
  });
});
