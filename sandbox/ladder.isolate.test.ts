import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect } from 'chai';
import { SandboxRefusal } from './index.ts';
import { LOSSES_MAX } from './limits.ts';
import { answerOf, codeOf, entry, jobIn, openTestSandbox, type TestSandbox, until } from './test-sandbox.ts';

/** V8 cannot interrupt it: it has no loop of its own. */
const UNINTERRUPTIBLE = jobIn('return Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);');
const HONEST = jobIn('return (await ctx.kv.get("a")).value;');
/** What a busy machine may be late by. */
const SLACK_MS = 20_000;

/** Of every thread of a process. */
const nicenessOf = (pid: number): Set<number> =>
  new Set(
    readdirSync(`/proc/${pid}/task`).map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1').split(') ')[1]!.split(' ')[16]),
    ),
  );

describe('the ladder', () => {
  let rig: TestSandbox;
  const open = async (...options: Parameters<typeof openTestSandbox>) => {
    rig = await openTestSandbox(...options);
    return rig;
  };
  const cordons = (kind?: string) => rig.sandbox.status().cordons.filter((cordon) => !kind || cordon.kind === kind);
  const pidsOf = (kind?: string) => cordons(kind).map(({ pid }) => pid);
  const spareReady = () => until(() => cordons('spare').some(({ state }) => state === 'ready'));
  afterEach(() => rig.close());

  it('interrupts a turn, and neither the cordon nor the others in its isolate come to harm', async () => {
    await open();
    const code = `
      __gatehouse_define({ schedule: { job: async (job, ctx) => {
        if (ctx.invocationId === 'spins') { await ctx.kv.get('go'); for (;;); }
        return (await ctx.kv.get('wait')).value;
      } } });`;
    const release: (() => void)[] = [];
    const hostCall = (call: Parameters<typeof entry>[0]) =>
      new Promise<ReturnType<typeof entry>>((resolve) => release.push(() => resolve(entry(call))));
    const other = rig.run(code, { id: 'waits', hostCall });
    const spinning = rig.run(code, { id: 'spins', hostCall });
    await until(() => release.length === 2);
    const pids = pidsOf();
    release[1]!();
    const outcome = await spinning;
    expect(codeOf(outcome)).to.equal('cpu-limit');
    release[0]!();
    const answered = await other;
    expect(answerOf(answered)).to.equal(1);
    expect(answered.usage.executions, 'its isolate was disposed of').to.be.at.least(2);
    expect(pidsOf()).to.deep.equal(pids);
    expect(rig.deaths).to.deep.equal([]);
  });

  it('executes who only waits again, however often others cost it the isolate', async () => {
    await open();
    const code = `
      __gatehouse_define({ schedule: { job: async (job, ctx) => {
        if (ctx.invocationId !== 'waits') for (;;);
        return (await ctx.kv.get('wait')).value;
      } } });`;
    const held = Promise.withResolvers<ReturnType<typeof entry>>();
    const waiting = rig.run(code, { id: 'waits', limits: { wallMs: 60_000 }, hostCall: () => held.promise });
    await until(() => rig.calls.length === 1);
    for (let losses = 0; losses <= LOSSES_MAX; losses++) {
      expect(codeOf(await rig.run(code, { limits: { wallMs: 60_000 } }))).to.equal('cpu-limit');
    }
    held.resolve(entry(rig.calls[0]!));
    const answered = await waiting;
    expect(answerOf(answered)).to.equal(1);
    expect(answered.usage.executions).to.be.at.least(LOSSES_MAX + 2);
    expect(rig.calls.length).to.equal(1);
    expect(rig.deaths).to.deep.equal([]);
  });

  it('kills for what cannot be interrupted, within the deadline and 250 ms', async () => {
    await open();
    const outcome = await rig.run(UNINTERRUPTIBLE, { limits: { wallMs: 300, cpuMs: 1_000 } });
    expect(codeOf(outcome)).to.match(/^(cpu|wall)-limit$/);
    expect(outcome.usage.wallMs).to.be.within(300, 300 + 250 + SLACK_MS);
  });

  it('runs who broke a limit where it costs its neighbours nothing when it goes on, and serves that last', async () => {
    await open({ spare: true });
    await spareReady();
    const [pool] = pidsOf('pool');
    const first = await rig.run(jobIn('for (;;);'), { installation: 'villain' });
    expect(codeOf(first)).to.equal('cpu-limit');
    await until(() => cordons('probation').filter(({ state }) => state === 'ready').length === 2);
    for (const pid of pidsOf('probation')) {
      expect(nicenessOf(pid)).to.deep.equal(new Set([Math.min(19, getPriority() + 19)]));
    }
    // The host comes first on a busy machine.
    for (const pid of [pool!, ...pidsOf('spare')]) {
      expect(nicenessOf(pid)).to.deep.equal(new Set([Math.min(19, getPriority() + 4)]));
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
        .to.include('--permission')
        .and.not.include('inspector');
    }
    const second = rig.run(UNINTERRUPTIBLE, { installation: 'villain' });
    const neighbour = await rig.run(HONEST, { installation: 'neighbour' });
    expect(codeOf(await second)).to.equal('cpu-limit');
    expect(answerOf(neighbour)).to.equal(1);
    expect(rig.deaths.map(({ reason }) => reason)).to.deep.equal(['overdue']);
    expect(pidsOf('pool')).to.deep.equal([pool]);
    expect(pidsOf('pool')).to.not.include(rig.deaths[0]!.pid);
  });

  it('answers in time for a cordon that was stopped altogether, kills it, and runs the next elsewhere', async () => {
    await open({ cordons: 1, spare: true });
    await spareReady();
    const [pid] = pidsOf('pool');
    process.kill(pid!, 'SIGSTOP');
    await until(() => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
    const outcome = rig.run(HONEST, { limits: { wallMs: 300 } }).then(codeOf, ({ code }: SandboxRefusal) => code);
    expect(await outcome).to.equal('sandbox-saturated');
    const next = await rig.run(HONEST, { limits: { wallMs: 60_000 } });
    expect(answerOf(next)).to.equal(1);
    expect(rig.deaths.map((death) => [death.pid, death.culprits])).to.deep.equal([[pid, []]]);
  });

  it('kills a cordon that grows beyond its size, and blames the turn that made it grow', async () => {
    await open({ residentMiBMax: 240 });
    // One call of a built-in that V8 does not stop for its limit; it would take 500 MiB.
    const grows = jobIn('globalThis.kept = "x".repeat(2 ** 27).split(""); return 1;');
    const limits = { heapMiB: 16, cpuMs: 30_000, wallMs: 60_000 };
    const outcome = await rig.run(grows, { id: 'grows', limits });
    expect(codeOf(outcome)).to.equal('heap-limit');
    expect(rig.deaths.map(({ reason, culprits }) => [reason, culprits[0]?.invocationId])).to.deep.equal([
      ['overgrown', 'grows'],
    ]);
    expect(answerOf(await rig.run(HONEST, { limits: { wallMs: 60_000 } }))).to.equal(1);
  });

  it('gives the lanes of a dead cordon to the spare: the gap is the re-dispatch', async () => {
    await open({ cordons: 1, spare: true });
    for (let kill = 1; kill <= 5; kill++) {
      await spareReady();
      let release = () => {};
      const run = rig.run(HONEST, {
        limits: { wallMs: 60_000 },
        hostCall: (call) =>
          new Promise((resolve) => {
            release = () => resolve(entry(call));
          }),
      });
      await until(() => rig.calls.length === kill);
      const [spare] = pidsOf('spare');
      process.kill(pidsOf('pool')[0]!, 'SIGKILL');
      release();
      expect(answerOf(await run)).to.equal(1);
      expect(pidsOf('pool')).to.deep.equal([spare]);
    }
    expect(rig.deaths).to.have.length(5);
    expect(rig.calls).to.have.length(5);
  });

  it('replaces its cordons under load, and no call fails, is repeated or executed twice', async () => {
    await open({ cordons: 1, lanesPerCordon: 2, spare: true, cordonAgeMsMax: 1 });
    const first = pidsOf('pool');
    let sent = 0;
    const answers: unknown[] = [];
    const executions = new Set<number>();
    const client = async (name: string) => {
      while (rig.sandbox.status().cordonsRecycled < 2) {
        sent++;
        const outcome = await rig.run(HONEST, { installation: name, limits: { wallMs: 60_000 } });
        answers.push(answerOf(outcome));
        executions.add(outcome.usage.executions);
      }
    };
    await Promise.all(['a', 'b', 'c'].map(client));
    expect(answers).to.have.length(sent);
    expect(new Set(answers)).to.deep.equal(new Set([1]));
    expect(executions).to.deep.equal(new Set([1]));
    expect(rig.calls).to.have.length(sent);
    expect(rig.deaths).to.deep.equal([]);
    await until(() => first.every((pid) => !pidsOf().includes(pid)));
  });

  it('runs a solitary installation in a process where nobody else is', async () => {
    await open({ cordons: 1, spare: true });
    const [alone, other] = await Promise.all([
      rig.run(HONEST, { installation: 'alone', solitary: true }),
      rig.run(HONEST, { installation: 'other' }),
    ]);
    expect([alone, other].map(answerOf)).to.deep.equal([1, 1]);
    expect(cordons('solitary').map(({ installationId }) => installationId)).to.deep.equal(['alone']);
    const neighbours = pidsOf('pool');
    const killed = await rig.run(UNINTERRUPTIBLE, { installation: 'alone', solitary: true });
    expect(codeOf(killed)).to.equal('cpu-limit');
    expect(pidsOf('pool')).to.deep.equal(neighbours);
    expect(rig.deaths.map(({ culprits }) => culprits.map(({ installationId }) => installationId))).to.deep.equal([
      ['alone'],
    ]);
    expect(answerOf(await rig.run(HONEST, { installation: 'alone', solitary: true }))).to.equal(1);
  });

  it('feeds no recorded result to a plugin that goes another way the second time', async () => {
    await open({ cordons: 1, spare: true });
    const codes: string[] = [];
    const second = ["await ctx.kv.get('key ' + n)", 'if (n === 2) await ctx.kv.get("only now")'];
    for (const [at, way] of second.entries()) {
      await spareReady();
      // The isolate remembers; the one that takes its place does not.
      const code = jobIn(`
        const n = (globalThis.n = (globalThis.n ?? 0) + 1);
        ${way}; if (n === 2) await ctx.kv.get('hold'); return n;`);
      expect(answerOf(await rig.run(code, { installation: `i${at}` }))).to.equal(1);
      const calls = rig.calls.length;
      const run = rig.run(code, {
        installation: `i${at}`,
        limits: { wallMs: 60_000 },
        hostCall: (call) => (call.seq === 1 ? Promise.resolve(entry(call)) : new Promise(() => {})),
      });
      await until(() => rig.calls.length === calls + 2);
      process.kill(pidsOf('pool')[0]!, 'SIGKILL');
      codes.push(
        await run.then(codeOf, (error: unknown) => (error instanceof SandboxRefusal ? error.code : String(error))),
      );
    }
    expect(codes).to.deep.equal(['sandbox-interrupted', 'sandbox-interrupted']);
  });
});
