import { expect } from 'chai';
import { DEFAULT_LIMITS, textOfInput } from '../plugins-sdk/contract/index.ts';
import { buildGuest } from '../plugins-sdk/guest/build-guest.ts';
import { createSandbox, type HostCallResult, type Outcome, SandboxRefusal } from './index.ts';
import { answerOf, codeOf, digestOf, entry, jobIn, openTestSandbox, type TestSandbox, until } from './test-sandbox.ts';
import { untilIdle, untilSpinning } from './test-threads.ts';

const refusalOf = (run: Promise<Outcome>): Promise<string> =>
  run.then(
    (outcome) => codeOf(outcome),
    (error: unknown) => (error instanceof SandboxRefusal ? error.code : String(error)),
  );
const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe('createSandbox', () => {
  let rig: TestSandbox;
  const open = async (...options: Parameters<typeof openTestSandbox>) => {
    rig = await openTestSandbox(...options);
    return rig;
  };
  const pids = () => rig.sandbox.status().cordons.map(({ pid }) => pid);
  afterEach(() => rig.close());

  it('answers what the plugin answers, and says what that cost', async () => {
    await open();
    const outcome = await rig.run(jobIn('const { value } = await ctx.kv.get("a"); return [value, "é✓"];'));
    expect(answerOf(outcome)).to.deep.equal([1, 'é✓']);
    const { usage } = outcome;
    expect(usage).to.include({ turns: 2, hostCalls: 1, executions: 1 });
    expect(usage.outputBytes).to.equal(Buffer.byteLength((outcome as { output: string }).output));
    expect(usage.cpuMs).to.be.greaterThan(0);
    expect(usage.wallMs).to.be.at.least(usage.queuedMs);
    expect(usage.heapMiB).to.be.within(0.1, 32);
    expect(rig.sandbox.status()).to.include({ isolates: 1, running: 0, cordonDeaths: 0 });
  });

  it('lets invocations of one installation interleave in one isolate', async () => {
    await open();
    const code = jobIn(
      'globalThis.inside = (globalThis.inside ?? 0) + 1; await ctx.kv.get("a"); return globalThis.inside;',
    );
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => rig.run(code)));
    expect(Math.max(...outcomes.map((outcome) => answerOf(outcome) as number))).to.equal(5);
    expect(rig.loads).to.have.length(1);
  });

  it('keeps installations of one release apart', async () => {
    await open();
    const code = jobIn('globalThis.count = (globalThis.count ?? 0) + 1; return globalThis.count;');
    expect(answerOf(await rig.run(code, { installation: 'one' }))).to.equal(1);
    expect(answerOf(await rig.run(code, { installation: 'two' }))).to.equal(1);
    expect(answerOf(await rig.run(code, { installation: 'one' }))).to.equal(2);
  });

  it('forgets the isolates of an installation when told to', async () => {
    await open();
    const code = jobIn('globalThis.count = (globalThis.count ?? 0) + 1; return globalThis.count;');
    await rig.run(code);
    rig.sandbox.evict('one');
    expect(answerOf(await rig.run(code))).to.equal(1);
    expect(rig.loads).to.have.length(2);
  });

  it('keeps no more isolates than it may, and the most recently used ones', async () => {
    await open({ isolatesPerLane: 2 });
    const code = jobIn('globalThis.count = (globalThis.count ?? 0) + 1; return globalThis.count;');
    for (const installation of ['a', 'b', 'a', 'c']) await rig.run(code, { installation });
    expect(answerOf(await rig.run(code, { installation: 'a' }))).to.equal(3);
    expect(answerOf(await rig.run(code, { installation: 'b' }))).to.equal(1);
    expect(rig.sandbox.status().isolates).to.equal(2);
  });

  it('lets idle isolates go when all of them hold too much, the least recently used first', async () => {
    await open({ isolatesPerLane: 100, residentMiBMax: 400 });
    const code = jobIn(`
      globalThis.kept ??= Array.from({ length: 20 }, (_, n) => new Uint8Array(2 ** 20).fill(n + 1));
      globalThis.count = (globalThis.count ?? 0) + 1;
      return globalThis.count;`);
    const limits = { heapMiB: 64, cpuMs: 1_000, wallMs: 60_000 };
    for (let n = 1; n <= 12; n++) await rig.run(code, { installation: `i${n}`, limits });
    expect(rig.sandbox.status().isolates).to.be.within(2, 9);
    expect(answerOf(await rig.run(code, { installation: 'i12', limits }))).to.equal(2);
    expect(answerOf(await rig.run(code, { installation: 'i1', limits }))).to.equal(1);
    expect(rig.deaths).to.deep.equal([]);
  });

  it('asks once for the code of each isolate, also where what it had kept must go while it asks', async () => {
    await open({ isolatesPerLane: 2, queuePerLane: 500 });
    // A lane keeps the code of 32.
    const codes = Array.from({ length: 48 }, (_, at) => jobIn(`return ${at};`));
    const limits = { wallMs: 60_000 };
    for (let round = 1; round <= 3; round++) {
      const outcomes = codes.map((code, at) => rig.run(code, { installation: `i${at}`, limits }));
      expect((await Promise.all(outcomes)).map(answerOf)).to.deep.equal(codes.map((_, at) => at));
      expect(rig.loads.length).to.be.at.most(round * codes.length);
    }
    expect(rig.deaths).to.deep.equal([]);
  });

  it('passes on why a bundle could not be loaded, to those who wait for it only', async () => {
    await open();
    const broken = rig.sandbox.invoke(
      {
        invocationId: 'x',
        installationId: 'one',
        digest: digestOf('unknown'),
        input: '{}',
        seed: '00'.repeat(32),
        startedAtMs: 0,
        limits: DEFAULT_LIMITS,
      },
      { hostCall: async (call) => entry(call), log: () => {} },
    );
    const other = rig.run(jobIn('return 1;'));
    expect(await refusalOf(broken)).to.equal('Error: no such bundle');
    expect(answerOf(await other)).to.equal(1);
  });

  it('names the limit, what was allowed, what was used and the last host call', async () => {
    await open();
    const outcome = await rig.run(jobIn('await ctx.kv.get("a"); for (;;);'), { limits: { cpuMs: 20 } });
    if (outcome.status !== 'faulted') throw new Error('it completed');
    expect(outcome.fault).to.include({ code: 'cpu-limit', limit: 'cpuMs', allowed: 20, lastHostCall: 'kv.get' });
    expect(outcome.fault.used).to.be.greaterThan(20);
    expect(outcome.usage).to.include({ turns: 2, hostCalls: 1 });
  });

  it('kills the cordon of a plugin that cannot be interrupted, names it, and answers its neighbours', async () => {
    await open();
    const attack = rig.run(jobIn('return Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);'), {
      id: 'culprit',
      installation: 'attacker',
    });
    const neighbours = Array.from({ length: 10 }, () => rig.run(jobIn('return (await ctx.kv.get("a")).value;')));
    expect(codeOf(await attack)).to.equal('cpu-limit');
    for (const outcome of await Promise.all(neighbours)) expect(answerOf(outcome)).to.equal(1);
    await until(() => rig.deaths.length > 0);
    expect(rig.deaths[0]).to.deep.include({ reason: 'overdue', exit: 'SIGKILL' });
    const named = rig.deaths[0]!.culprits.map(({ invocationId, fault }) => [invocationId, fault?.code]);
    expect(named).to.deep.equal([['culprit', 'cpu-limit']]);
    expect(rig.calls).to.have.length(10);
  });

  it('blames the only plugin that was inside a turn when its cordon aborted, and answers those that waited', async () => {
    await open();
    const limits = { cpuMs: 30_000, wallMs: 60_000 };
    const busy = rig.run(jobIn('for (;;);'), { id: 'culprit', installation: 'attacker', limits });
    await until(() => rig.loads.length === 1);
    const waiting = rig.run(jobIn('return 1;'));
    await untilSpinning(pids()[0]!);
    process.kill(pids()[0]!, 'SIGABRT');
    expect(codeOf(await busy)).to.equal('sandbox-killed');
    expect(answerOf(await waiting)).to.equal(1);
    expect(rig.deaths[0]).to.deep.include({ reason: 'aborted', exit: 'SIGABRT' });
    expect(rig.deaths[0]!.culprits.map(({ invocationId }) => invocationId)).to.deep.equal(['culprit']);
  });

  it('executes each of two suspects again, alone, when nothing tells which of them broke the cordon', async () => {
    await open({ lanesPerCordon: 2 });
    const busy = jobIn('let n = 0; for (let i = 0; i < 4e8; i++) n += i % 7; return n > 0;');
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const runs = names.map((installation) => rig.run(busy, { installation, limits: { cpuMs: 30_000 } }));
    await until(() => rig.loads.length >= 2);
    await untilSpinning(pids()[0]!);
    process.kill(pids()[0]!, 'SIGSEGV');
    const outcomes = await Promise.all(runs);
    expect(outcomes.map(answerOf)).to.deep.equal(names.map(() => true));
    expect(rig.deaths.map(({ reason, exit }) => [reason, exit])).to.deep.equal([['aborted', 'SIGSEGV']]);
    expect(Math.max(...outcomes.map(({ usage }) => usage.executions))).to.be.at.least(2);
  });

  it('loses no answer and repeats no host call when every cordon is killed under 50 invocations', async () => {
    await open({ cordons: 2, lanesPerCordon: 2 });
    const code = jobIn(`
      const id = ctx.invocationId, numbers = [Math.random(), Date.now()];
      const first = (await ctx.kv.get(id + '/1')).value;
      ctx.log.info('after first');
      numbers.push(Math.random(), Date.now());
      const [second, third] = await Promise.all([ctx.kv.get(id + '/2'), ctx.kv.get(id + '/3')]);
      await new Promise((done) => setTimeout(done, 20));
      return { first, both: [second.value, third.value], same: numbers };`);
    const held: (() => void)[] = [];
    const hostCall = (call: Parameters<typeof entry>[0]): Promise<HostCallResult> =>
      new Promise((resolve) => {
        if (call.seq === 1) resolve(entry(call));
        else held.push(() => resolve(entry(call)));
      });
    const names = Array.from({ length: 50 }, (_, n) => `i${n}`);
    const runs = names.map((id) => rig.run(code, { id, installation: `installation-${id}`, hostCall }));
    await until(() => held.length === 100);
    const before = pids();
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await until(() => rig.deaths.length === 2);
    for (const release of held) release();
    const outcomes = await Promise.all(runs);
    for (const outcome of outcomes) {
      expect(answerOf(outcome)).to.deep.include({ first: 1, both: [2, 3] });
      expect(outcome.usage.executions).to.be.at.least(2);
    }
    const made = rig.calls.map(({ invocationId, seq }) => `${invocationId} ${seq}`);
    expect(made.sort()).to.deep.equal(names.flatMap((id) => [1, 2, 3].map((seq) => `${id} ${seq}`)).sort());
    expect(rig.logs).to.have.length(50);
    expect(rig.deaths.map(({ reason, culprits }) => [reason, culprits.length])).to.deep.equal([
      ['killed', 0],
      ['killed', 0],
    ]);
    await until(() => pids().length === 2);
    expect(pids().some((pid) => before.includes(pid))).to.equal(false);
  });

  it('shows an execution that is repeated the clock and the numbers of the first one', async () => {
    await open();
    let clock = 1_000;
    const nowMs = () => clock++;
    const code = jobIn(`
      await ctx.kv.get('a');
      const seen = [Date.now(), Math.random()];
      ctx.log.info(JSON.stringify(seen));
      await ctx.kv.get('b');
      return seen;`);
    let release = () => {};
    const run = rig.run(code, {
      nowMs,
      hostCall: (call) =>
        call.seq === 1
          ? Promise.resolve(entry(call))
          : new Promise((resolve) => {
              release = () => resolve(entry(call));
            }),
    });
    await until(() => rig.logs.length === 1 && rig.calls.length === 2);
    process.kill(pids()[0]!, 'SIGKILL');
    release();
    const outcome = await run;
    const logged = JSON.parse((JSON.parse(rig.logs[0]!.json) as { message: string }).message);
    expect(answerOf(outcome)).to.deep.equal(logged);
    expect(outcome.usage.executions).to.equal(2);
    expect(rig.logs).to.have.length(1);
  });

  it('runs who was inside a turn at two deaths apart from everybody, and gives up with sandbox-interrupted at the third', async () => {
    await open();
    const limits = { cpuMs: 30_000 };
    let code: string | null = null;
    void refusalOf(rig.run(jobIn('for (;;);'), { limits })).then((ended) => {
      code = ended;
    });
    const kinds: string[] = [];
    const home = () => rig.sandbox.status().cordons.find(({ state, running }) => state === 'ready' && running === 1);
    while (code === null) {
      await until(() => home() !== undefined);
      const { pid, kind } = home()!;
      await untilSpinning(pid);
      process.kill(pid, 'SIGKILL');
      kinds.push(kind);
      await until(() => rig.deaths.length === kinds.length);
    }
    expect(code).to.equal('sandbox-interrupted');
    expect(kinds.slice(0, 2)).to.deep.equal(['pool', 'pool']);
    expect(new Set(kinds.slice(2))).to.deep.equal(new Set(['quarantine']));
  });

  it('executes an invocation again as often as cordons die while it waits for a host call', async () => {
    await open();
    const answers: (() => void)[] = [];
    const run = rig.run(jobIn('return (await ctx.kv.get("a")).value;'), {
      hostCall: (call) => new Promise((resolve) => answers.push(() => resolve(entry(call)))),
    });
    for (let death = 1; death <= 5; death++) {
      const its = () => rig.sandbox.status().cordons.find(({ state, running }) => state === 'ready' && running === 1);
      await until(() => its() !== undefined && answers.length === 1);
      // It comes to its call again in a moment; killed inside its turn, it would be under suspicion, and go on in quarantine.
      await untilIdle(its()!.pid);
      process.kill(its()!.pid, 'SIGKILL');
      await until(() => rig.deaths.length === death);
    }
    for (const answer of answers) answer();
    const outcome = await run;
    expect(answerOf(outcome)).to.equal(1);
    // A cordon that dies before it has begun costs no execution.
    expect(outcome.usage.executions).to.be.within(5, 6);
    expect(rig.calls).to.have.length(1);
  });

  it('does not call a plugin slow whose time passed while its cordon was replaced', async () => {
    await open();
    const options = { limits: { wallMs: 3_000 }, hostCall: () => new Promise<never>(() => {}) };
    const run = refusalOf(rig.run(jobIn('await ctx.kv.get("a");'), options));
    await until(() => rig.calls.length === 1);
    process.kill(pids()[0]!, 'SIGKILL');
    expect(await run).to.equal('sandbox-interrupted');
    expect(rig.deaths.flatMap(({ culprits }) => culprits)).to.deep.equal([]);
  });

  it('feeds no recorded result to code that asks for something else', async () => {
    const guest = await buildGuest();
    let loads = 0;
    const sandbox = await createSandbox(
      { cordons: 1, lanesPerCordon: 1, queuePerLane: 10, isolatesPerLane: 2 },
      { guest, loadBundle: async () => jobIn(`await ctx.kv.get("key ${loads++}"); await ctx.kv.get("b");`) },
    );
    rig = { ...(rig ?? {}), sandbox, close: () => sandbox.close(0) } as TestSandbox;
    let calls = 0;
    const context = { invocationId: 'x', installation: {}, operator: {}, caller: null, grants: ['kv'], config: null };
    const run = refusalOf(
      sandbox.invoke(
        {
          invocationId: 'x',
          installationId: 'one',
          digest: digestOf('x'),
          input: textOfInput({ kind: 'schedule', name: 'job', dueAt: '', context } as never),
          seed: '00'.repeat(32),
          startedAtMs: 0,
          limits: DEFAULT_LIMITS,
        },
        {
          hostCall: (call) => (++calls === 1 ? Promise.resolve(entry(call)) : new Promise(() => {})),
          log: () => {},
        },
      ),
    );
    await until(() => calls === 2);
    process.kill(pids()[0]!, 'SIGKILL');
    expect(await run).to.equal('sandbox-interrupted');
  });

  it('ends an invocation whose caller goes away, and one whose caller has gone before', async () => {
    await open();
    const controller = new AbortController();
    const code = jobIn('await ctx.kv.get("a");');
    const options = { id: 'again', signal: controller.signal, hostCall: () => new Promise<never>(() => {}) };
    const run = refusalOf(rig.run(code, options));
    await until(() => rig.calls.length === 1);
    controller.abort();
    expect(await run).to.equal('invocation-aborted');
    expect(await refusalOf(rig.run(code, options))).to.equal('invocation-aborted');
    expect(answerOf(await rig.run(jobIn('return 2;'), { id: 'again' }))).to.equal(2);
    expect(rig.sandbox.status().running).to.equal(0);
  });

  it('ends all invocations of an installation that is stopped, and none of another', async () => {
    await open();
    const held = Promise.withResolvers<void>();
    const run = (installation: string) =>
      rig.run(jobIn('return (await ctx.kv.get("a")).value;'), {
        installation,
        hostCall: async (call) => {
          await held.promise;
          return entry(call);
        },
      });
    const [first, second, other] = [refusalOf(run('one')), refusalOf(run('one')), run('other')];
    await until(() => rig.calls.length === 3);
    rig.sandbox.stop('one');
    expect(await Promise.all([first, second])).to.deep.equal(['sandbox-interrupted', 'sandbox-interrupted']);
    held.resolve();
    expect(answerOf(await other)).to.equal(1);
  });

  it('refuses with sandbox-saturated what would wait behind a full queue', async () => {
    await open({ queuePerLane: 3 });
    const spin = jobIn('let n = 0; for (let i = 0; i < 2e7; i++) n += i; return n > 0;');
    const codes = await Promise.all(
      Array.from({ length: 8 }, () => refusalOf(rig.run(spin, { limits: { cpuMs: 30_000 } }))),
    );
    expect(codes.filter((code) => code === 'completed')).to.have.length(3);
    expect(codes.filter((code) => code === 'sandbox-saturated')).to.have.length(5);
  });

  it('refuses ids that the black box could not hold', async () => {
    await open();
    expect(await refusalOf(rig.run(jobIn(''), { id: 'a b' }))).to.match(/white space/);
    expect(await refusalOf(rig.run(jobIn(''), { installation: 'x'.repeat(500) }))).to.match(/installationId/);
  });

  it('drains on close, refuses what comes later, and leaves no process behind', async () => {
    await open({ cordons: 2 });
    const left = pids();
    let release = () => {};
    const slow = rig.run(jobIn('return (await ctx.kv.get("a")).value;'), {
      hostCall: (call) =>
        new Promise((resolve) => {
          release = () => resolve(entry(call));
        }),
    });
    const stuck = refusalOf(rig.run(jobIn('await ctx.kv.get("a");'), { hostCall: () => new Promise(() => {}) }));
    await until(() => rig.calls.length === 2);
    const closed = rig.sandbox.close(3_000);
    expect(await refusalOf(rig.run(jobIn('return 1;')))).to.equal('sandbox-closed');
    release();
    expect(answerOf(await slow)).to.equal(1);
    expect(await stuck).to.equal('sandbox-closed');
    await closed;
    // What confines a cordon has ended; the kernel takes the cordon with it.
    await until(() => left.every(isGone));
    expect(rig.deaths).to.deep.equal([]);
  });
});
