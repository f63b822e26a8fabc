import { expect } from 'chai';
import { CEILING_LIMITS } from '../plugins-sdk/contract/index.ts';
import type { SandboxAlarm } from './contract.ts';
import { CordonPool, DRAIN_MS_MAX, type PoolOptions } from './cordon-pool.ts';
import { fakeFleet } from './fake-cordon.ts';
import { until } from './test-sandbox.ts';

const HOUR_MS = 3_600_000;

function openPool(options: Partial<PoolOptions> = {}) {
  let clockMs = 1_000;
  const nowMs = () => clockMs;
  const fleet = fakeFleet(nowMs);
  const alarms: SandboxAlarm[] = [];
  const ended: number[] = [];
  let seated = 0;
  /** Which processes had the lanes when the supervisor heard of each death. */
  const heirs: (number | null)[][] = [];
  const pool = new CordonPool(
    {
      kind: 'pool',
      cordons: 2,
      lanesPerCordon: 1,
      spare: true,
      secondSpareMs: 0,
      startPeriodMs: 0,
      reserveAttention: 'low',
      ageMsMax: HOUR_MS,
      residentMiBSoft: 700,
      ...options,
    },
    {
      launch: fleet.launch,
      nowMs,
      later: (work) => work(),
      onSeated: () => seated++,
      onEnd: (cordon) => {
        ended.push(cordon.pid);
        heirs.push(pids());
      },
      onAlarm: (alarm) => alarms.push(alarm),
    },
  );
  const pids = () => pool.links.map((link) => link?.cordon.pid ?? null);
  const kinds = () => pool.list().map(({ cordon, kind }) => `${kind} ${cordon.pid}`);
  const boot = async () => {
    const booted = pool.start();
    fleet.readyAll();
    await booted;
    fleet.readyAll();
  };
  const pass = (ms: number) => {
    clockMs += ms;
  };
  return { pool, fleet, alarms, ended, heirs, pids, kinds, boot, pass, seated: () => seated };
}

describe('CordonPool', () => {
  it('starts one cordon more than it seats, after those that it needs', async () => {
    const { pool, fleet, kinds } = openPool();
    const booted = pool.start();
    expect(fleet.started).to.have.length(2);
    fleet.readyAll();
    await booted;
    expect(fleet.started).to.have.length(3);
    expect(kinds()).to.deep.equal(['pool 1', 'pool 2', 'spare 3']);
  });

  it('gives the lanes of a cordon that died to the spare before anybody hears of the death, and starts another', async () => {
    const { fleet, heirs, kinds, boot } = openPool();
    await boot();
    fleet.started[0]!.cordon.used = true;
    fleet.started[0]!.die();
    expect(heirs).to.deep.equal([[3, 2]]);
    expect(kinds()).to.deep.equal(['pool 3', 'pool 2', 'spare 4']);
  });

  it('seats whatever is ready first when two die at once', async () => {
    const { fleet, pids, boot, seated } = openPool();
    await boot();
    for (const { cordon } of fleet.started) cordon.used = true;
    fleet.started[0]!.die();
    fleet.started[1]!.die();
    expect(pids()).to.deep.equal([3, null]);
    fleet.readyAll();
    expect(pids()).to.deep.equal([3, 4]);
    expect(seated()).to.equal(4);
    expect(fleet.alive()).to.have.length(3);
  });

  it('starts no spare where none is wanted', async () => {
    const { fleet, kinds, boot, pids } = openPool({ spare: false });
    await boot();
    expect(kinds()).to.deep.equal(['pool 1', 'pool 2']);
    fleet.started[0]!.cordon.used = true;
    fleet.started[0]!.die();
    expect(pids()).to.deep.equal([null, 2]);
    fleet.readyAll();
    expect(pids()).to.deep.equal([3, 2]);
  });

  it('raises an alarm when a spare does not start, pauses before each attempt, and lets the alarm go when one does', async () => {
    const { pool, fleet, alarms, boot } = openPool();
    const booted = boot();
    await booted;
    fleet.started[2]!.cordon.used = true;
    fleet.started[2]!.die();
    fleet.started[3]!.die('no memory');
    expect(alarms).to.deep.equal([
      { code: 'cordon-start-failed', kind: 'spare', failures: 1, why: 'no memory', retryInMs: 100 },
    ]);
    expect(fleet.alive()).to.have.length(2);
    for (let look = 0; look < 50; look++) pool.tick();
    expect(fleet.alive(), 'nobody starts one during the pause').to.have.length(2);
    await until(() => fleet.alive().length === 3);
    fleet.alive()[2]!.die('no memory');
    expect(pool.alarm).to.include({ failures: 2, retryInMs: 200 });
    await until(() => fleet.alive().length === 3);
    fleet.readyAll();
    expect(pool.alarm).to.equal(null);
    expect(alarms).to.have.length(2);
  });

  it('counts spares that die as soon as they are ready as ones that do not start, from the second in a row on', async () => {
    const { fleet, alarms, boot } = openPool();
    await boot();
    fleet.started[2]!.die();
    expect(fleet.alive(), 'once is chance').to.have.length(3);
    fleet.readyAll();
    fleet.started[3]!.die();
    expect(alarms.map(({ kind, why }) => [kind, why])).to.deep.equal([['spare', 'it ended with SIGKILL']]);
    expect(fleet.alive()).to.have.length(2);
  });

  it('does not add up failures between which cordons have started well', async () => {
    const { pool, fleet, alarms, boot, pass } = openPool();
    await boot();
    const youngest = () => fleet.alive().at(-1)!;
    for (let failure = 1; failure <= 5; failure++) {
      youngest().die();
      fleet.readyAll();
      youngest().die();
      expect(alarms.at(-1)).to.include({ failures: 2, retryInMs: 200 });
      pass(10);
      await until(() => fleet.alive().length === 3);
      fleet.readyAll();
      pass(1_000);
      pool.tick();
      // It is no longer one that could fail to start; the one that replaces it is.
      youngest().cordon.used = true;
      youngest().die();
      fleet.readyAll();
    }
    expect(alarms).to.have.length(5);
  });

  it('makes one attempt at a time while starts fail', async () => {
    const { fleet, boot } = openPool();
    await boot();
    fleet.failing = 'EAGAIN';
    for (const { cordon } of fleet.started) cordon.used = true;
    for (const made of fleet.alive()) made.die();
    fleet.failing = null;
    await until(() => fleet.alive().length > 0);
    expect(fleet.alive()).to.have.length(1);
    fleet.readyAll();
    expect(fleet.alive()).to.have.length(3);
  });

  it('says why a cordon does not start at boot, after one attempt for each and two more', async () => {
    const { pool, fleet } = openPool();
    const booted = pool.start().then(
      () => 'started',
      ({ message }: Error) => message,
    );
    for (let failures = 0; failures < 4; failures++) {
      await until(() => fleet.alive().length > 0);
      fleet.alive()[0]!.die('vulnerable engine');
    }
    expect(await booted).to.equal('a sandbox process does not start: vulnerable engine');
    await pool.close();
  });

  it('replaces a cordon of full age by the spare, lets it end what it has, and then ends it', async () => {
    const { pool, fleet, kinds, boot, pass, pids, ended } = openPool();
    await boot();
    fleet.started[0]!.occupy(2);
    fleet.started[1]!.occupy(1);
    pass(HOUR_MS + 1);
    pool.tick();
    expect(pids()).to.deep.equal([3, 2]);
    expect(kinds()).to.deep.equal(['pool 3', 'pool 2', 'pool 1', 'spare 4']);
    fleet.readyAll();
    pool.tick();
    expect(pids(), 'one at a time').to.deep.equal([3, 2]);
    fleet.started[0]!.occupy(0);
    pool.tick();
    expect(ended).to.deep.equal([1]);
    expect(fleet.started[0]!.cordon.asked).to.equal(true);
    pool.tick();
    expect(pids()).to.deep.equal([3, 4]);
    expect(pool.recycled).to.equal(2);
  });

  it('ends a cordon that drains for longer than any invocation may take', async () => {
    const { pool, fleet, boot, pass, ended } = openPool();
    await boot();
    fleet.started[0]!.occupy(1);
    pass(HOUR_MS + 1);
    pool.tick();
    pass(CEILING_LIMITS.wallMs);
    pool.tick();
    expect(ended).to.deep.equal([]);
    pass(DRAIN_MS_MAX - CEILING_LIMITS.wallMs + 1);
    pool.tick();
    expect(ended).to.deep.equal([1]);
    expect(DRAIN_MS_MAX).to.be.greaterThan(CEILING_LIMITS.wallMs);
  });

  it('replaces a cordon that has grown, but not one that is younger than ten seconds', async () => {
    const { pool, fleet, boot, pass, pids } = openPool();
    await boot();
    fleet.started[1]!.cordon.residentMiB = 701;
    pass(10_000);
    pool.tick();
    expect(pids()).to.deep.equal([1, 2]);
    pass(1);
    pool.tick();
    expect(pids()).to.deep.equal([1, 3]);
  });

  it('starts a replacement first where there is no spare', async () => {
    const { pool, fleet, boot, pass, pids } = openPool({ spare: false });
    await boot();
    pass(HOUR_MS + 1);
    pool.tick();
    expect(pids()).to.deep.equal([1, 2]);
    expect(fleet.alive()).to.have.length(3);
    fleet.readyAll();
    expect(pids()).to.deep.equal([3, 2]);
    pool.tick();
    expect(fleet.alive().map(({ pid }) => pid)).to.deep.equal([2, 3, 4]);
  });

  it('recycles nothing while there is nothing to take its place', async () => {
    const { pool, fleet, boot, pass, pids } = openPool();
    await boot();
    pass(HOUR_MS + 1);
    fleet.failing = 'EAGAIN';
    fleet.started[2]!.cordon.used = true;
    fleet.started[2]!.die();
    for (let look = 0; look < 10; look++) pool.tick();
    expect(pids()).to.deep.equal([1, 2]);
    expect(pool.recycled).to.equal(0);
    await pool.close();
  });

  it('keeps a second spare for a while after a death, which starts with low attention once the first is ready', async () => {
    const { pool, fleet, kinds, boot, pass } = openPool({ secondSpareMs: 60_000 });
    await boot();
    fleet.started[0]!.cordon.used = true;
    fleet.started[0]!.die();
    expect(kinds()).to.deep.equal(['pool 3', 'pool 2', 'spare 4']);
    expect(fleet.started[3]!.attention(), 'nothing else stands by').to.equal('full');
    fleet.started[3]!.becomeReady();
    expect(kinds()).to.deep.equal(['pool 3', 'pool 2', 'spare 4', 'spare 5']);
    expect(fleet.started[4]!.attention()).to.equal('low');
    fleet.started[4]!.becomeReady();
    expect(fleet.started[4]!.attention()).to.equal('full');
    for (const { cordon } of fleet.alive()) cordon.used = true;
    fleet.started[1]!.die();
    fleet.started[2]!.die();
    expect(kinds(), 'both are replaced at once').to.deep.equal(['pool 5', 'pool 4', 'spare 6']);
    fleet.readyAll();
    pass(60_001);
    pool.tick();
    expect(kinds()).to.have.length(3);
  });

  it('gives a spare that had time to start full attention as soon as it is the only one', async () => {
    const { fleet, boot } = openPool({ secondSpareMs: 60_000 });
    await boot();
    for (const { cordon } of fleet.started) cordon.used = true;
    fleet.started[0]!.die();
    fleet.started[3]!.becomeReady();
    expect(fleet.started[4]!.attention()).to.equal('low');
    fleet.started[1]!.die();
    expect(fleet.started[4]!.attention()).to.equal('full');
  });

  it('gives its cordons low attention where they are for those on probation, and keeps their spare for them', async () => {
    const { fleet, kinds, boot } = openPool({ kind: 'probation', cordons: 1 });
    await boot();
    expect(kinds()).to.deep.equal(['probation 1', 'probation 2']);
    expect(fleet.alive().map(({ attention }) => attention())).to.deep.equal(['low', 'low']);
    fleet.started[0]!.cordon.used = true;
    fleet.started[0]!.die();
    expect(fleet.alive().map(({ attention }) => attention())).to.deep.equal(['low', 'low']);
  });

  it('starts no more of them than it may, however often they die', async () => {
    const { pool, fleet, boot, pass } = openPool({ kind: 'probation', cordons: 1, startPeriodMs: 20 });
    await boot();
    for (let death = 0; death < 2; death++) {
      const victim = fleet.alive()[0]!;
      victim.cordon.used = true;
      victim.die();
    }
    expect(fleet.started, 'two at once').to.have.length(2);
    expect(fleet.alive()).to.have.length(0);
    pass(40);
    await until(() => fleet.alive().length === 2);
    await pool.close();
  });

  it('starts nothing after it was closed', async () => {
    const { pool, fleet, boot } = openPool();
    await boot();
    await pool.close();
    pool.tick();
    expect(fleet.started).to.have.length(3);
    expect(fleet.alive()).to.have.length(0);
  });
});
