import { expect } from 'chai';
import type { Outcome, SandboxRefusal } from './index.ts';
import { answerOf, entry, jobIn, openTestSandbox, type RunOptions, type TestSandbox, until } from './test-sandbox.ts';

/** Some milliseconds on any machine. */
const WORK = 'let sum = 0; for (let at = 0; at < 2e7; at++) sum += at % 7; console.log("worked");';
const HEAVY = jobIn(`${WORK} return sum;`);
const HONEST = jobIn('return 1;');
const LIMITS = { cpuMs: 30_000, wallMs: 60_000 };

describe('who waits for a lane', () => {
  let rig: TestSandbox;
  before(async () => {
    rig = await openTestSandbox();
    for (let times = 0; times < 3; times++) {
      await rig.run(HEAVY, { installation: 'heavy', limits: LIMITS });
      await rig.run(HONEST, { installation: 'honest' });
    }
  });
  after(() => rig.close());

  const queueHeavy = (count: number, options: RunOptions = {}) =>
    Array.from({ length: count }, () => rig.run(HEAVY, { installation: 'heavy', limits: LIMITS, ...options }));
  const refusalOf = (run: Promise<Outcome>) =>
    run.then(
      ({ status }) => status,
      (error: SandboxRefusal) => error.code,
    );

  it('is behind three of sixty heavy invocations of a neighbour at most, not behind all', async () => {
    let ended = 0;
    const heavy = queueHeavy(60).map((run) => run.finally(() => ended++));
    await until(() => ended > 0);
    const before = ended;
    expect(answerOf(await rig.run(HONEST, { installation: 'honest' }))).to.equal(1);
    expect(ended - before).to.be.at.most(3);
    for (const outcome of await Promise.all(heavy)) expect(outcome.status).to.equal('completed');
  });

  it('is nobody who waits for a host call: all of them make theirs before the first is answered', async () => {
    let calls = 0;
    const all = Promise.withResolvers<void>();
    const runs = Array.from({ length: 30 }, () =>
      rig.run(jobIn(`await ctx.kv.get('a'); ${WORK} await ctx.kv.get('b'); return sum > 0;`), {
        installation: 'patient',
        limits: LIMITS,
        hostCall: async (call) => {
          if (++calls === 30) all.resolve();
          await all.promise;
          return entry(call);
        },
      }),
    );
    for (const outcome of await Promise.all(runs)) expect(answerOf(outcome)).to.equal(true);
  });

  it('goes on after turns that say nothing, however many there are', async () => {
    const code = jobIn(`
      const one = async (key) => { await ctx.kv.get(key); let sum = 0; for (let at = 0; at < 1e6; at++) sum += at % 7; return 1; };
      const all = await Promise.all(Array.from({ length: 90 }, (_, at) => one('k' + at)));
      return all.length;`);
    expect(answerOf(await rig.run(code, { installation: 'silent', limits: LIMITS }))).to.equal(90);
    expect(answerOf(await rig.run(HONEST, { installation: 'honest' }))).to.equal(1);
  });

  it('is not sent any more when its time is up or its caller has gone', async () => {
    const heavy = queueHeavy(40);
    const abort = new AbortController();
    const before = rig.logs.length;
    const late = queueHeavy(3, { limits: { ...LIMITS, wallMs: 1 } });
    const gone = queueHeavy(3, { signal: abort.signal });
    abort.abort();
    expect(await Promise.all(gone.map(refusalOf))).to.deep.equal(Array(3).fill('invocation-aborted'));
    expect(await Promise.all(late.map(refusalOf))).to.deep.equal(Array(3).fill('sandbox-saturated'));
    await Promise.all(heavy);
    expect(answerOf(await rig.run(HONEST, { installation: 'honest' }))).to.equal(1);
    expect(rig.logs.length - before, 'who computed').to.equal(40);
  });

  it('goes to another lane when it turns out that its installation takes long, and computes once', async () => {
    const two = await openTestSandbox({ cordons: 2 });
    try {
      const heavy = Array.from({ length: 40 }, () => two.run(HEAVY, { installation: 'heavy', limits: LIMITS }));
      let ended = 0;
      for (const run of heavy) void run.then(() => ended++);
      const honest: Promise<Outcome>[] = [];
      let isApart = false;
      while (ended < 40) {
        const [least, most] = two.sandbox
          .status()
          .cordons.map(({ running }) => running)
          .sort((a, b) => a - b);
        // They were spread evenly as long as nothing was known of them.
        isApart ||= least! <= 2 && most! >= 26;
        honest.push(two.run(HONEST, { installation: 'honest' }));
        await Promise.race([honest.at(-1), ...heavy]);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      const outcomes = await Promise.all([...heavy, ...honest]);
      expect(isApart, 'heavy ones on one lane').to.equal(true);
      expect(outcomes.map(({ usage }) => usage.executions)).to.deep.equal(outcomes.map(() => 1));
      expect(two.logs.length).to.equal(40);
      expect(two.sandbox.status().running).to.equal(0);
    } finally {
      await two.close();
    }
  });
});
