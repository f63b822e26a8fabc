import { expect } from 'chai';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { SandboxRefusal } from '../../sandbox/index.ts';
import { HostRefusal } from '../errors.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import { createScheduler, dueTimes, type Scheduler, type SchedulerPorts } from './run-schedules.ts';
import { type ScheduleStore, scheduleStore } from './schedule-store.ts';

const HOUR_MS = 3_600_000;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe('createScheduler', () => {
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());

  const HOURLY = '0 * * * *';
  const MINUTELY = '* * * * *';
  const DRAIN_MS = 60_000;

  /** One host, whose clock is held. */
  const scheduler = (
    ids: string[],
    runs: string[],
    clock: { nowMs: number },
    {
      cron = HOURLY,
      store = {},
      run = async () => {},
      ...others
    }: Partial<Pick<SchedulerPorts, 'factsOf' | 'log'>> & Made = {},
  ): Scheduler =>
    createScheduler({
      store: {
        ...scheduleStore(database.knex),
        scheduled: async () => ids.map((installationId) => ({ installationId, schedule: [{ name: 'report', cron }] })),
        ...store,
      },
      factsOf: async (id) => ({ id }) as never,
      runPlugin: async ({ id }, job) => {
        await run(id);
        runs.push((job as { dueAt: string }).dueAt);
        return {} as never;
      },
      nowMs: () => clock.nowMs,
      log: silent,
      ...others,
    });
  interface Made {
    cron?: string;
    store?: Partial<ScheduleStore>;
    /** What the plugin does, or why it does not run. */
    run?: (installationId: string) => Promise<void>;
  }
  /** Looks once on each host, and waits for what began. */
  const look = async (...hosts: Scheduler[]) => {
    await Promise.all(hosts.map((host) => host.tick()));
    await Promise.all(hosts.map((host) => host.close(DRAIN_MS)));
  };

  it('runs a job once when it comes due, on one of many hosts', async () => {
    const clock = { nowMs: 10 * HOUR_MS - 1_000 };
    const runs: string[] = [];
    const id = await addInstallation(database);
    const hosts = Array.from({ length: 5 }, () => scheduler([id], runs, clock));
    await look(...hosts);
    expect(runs).to.deep.equal([]);
    clock.nowMs = 10 * HOUR_MS + 500;
    await look(...hosts);
    await look(...hosts);
    expect(runs).to.deep.equal(['1970-01-01T10:00:00.000Z']);
  });

  it('leaves out what came due long before it looks again', async () => {
    const clock = { nowMs: 10 * HOUR_MS };
    const runs: string[] = [];
    const host = scheduler([await addInstallation(database)], runs, clock);
    clock.nowMs = 13 * HOUR_MS + 30_000;
    await look(host);
    expect(runs).to.deep.equal(['1970-01-01T13:00:00.000Z']);
  });

  it('leaves out what came due before a job was there to run it', async () => {
    const clock = { nowMs: 10 * HOUR_MS - 5_000 };
    const runs: string[] = [];
    const ids: string[] = [];
    const host = scheduler(ids, runs, clock);
    for (const afterMs of [-5_000, 0, 5_000, 10_000]) {
      clock.nowMs = 10 * HOUR_MS + afterMs;
      await look(host);
      // As where it is enabled a moment after the full hour.
      if (afterMs === 0) ids.push(await addInstallation(database));
    }
    expect(runs).to.deep.equal([]);
  });

  for (const failing of ['scheduled', 'claim'] as const) {
    it(`runs what came due although the database was away for a look, at its ${failing}`, async () => {
      const clock = { nowMs: 10 * HOUR_MS - 1_000 };
      const runs: string[] = [];
      const id = await addInstallation(database);
      let down = false;
      const answer = <Result>(call: string, result: () => Promise<Result>) =>
        down && call === failing ? Promise.reject(new Error('Connection terminated')) : result();
      const store: Partial<ScheduleStore> = {
        scheduled: () =>
          answer('scheduled', async () => [{ installationId: id, schedule: [{ name: 'report', cron: HOURLY }] }]),
        claim: (due) => answer('claim', () => scheduleStore(database.knex).claim(due)),
      };
      const host = scheduler([id], runs, clock, { store });
      await look(host);
      clock.nowMs += 5_000;
      down = true;
      await look(host);
      expect(runs).to.deep.equal([]);
      clock.nowMs += 5_000;
      down = false;
      await look(host);
      await look(host);
      expect(runs).to.deep.equal(['1970-01-01T10:00:00.000Z']);
    });
  }

  it('begins later, here or on another host, what there was no room for or no database', async () => {
    const full = [new SandboxRefusal('sandbox-saturated'), new HostRefusal('installation-saturated')];
    const short = new HostRefusal('cpu-budget-exhausted');
    for (const [index, refusal] of [...full, short, null].entries()) {
      const clock = { nowMs: (10 + index) * HOUR_MS - 1_000 };
      const runs: string[] = [];
      const id = await addInstallation(database);
      const factsOf = () => Promise.reject(new Error('Connection terminated'));
      const host = scheduler([id], [], clock, refusal ? { run: () => Promise.reject(refusal) } : { factsOf });
      const other = scheduler([id], runs, clock);
      clock.nowMs += 5_000;
      await host.tick();
      await other.tick();
      expect(runs).to.deep.equal([]);
      await host.close(DRAIN_MS);
      await look(other);
      await look(host, other);
      expect(runs).to.deep.equal([new Date((10 + index) * HOUR_MS).toISOString()]);
    }
  });

  it('gives back once, though the database took that without an answer', async () => {
    const clock = { nowMs: 10 * HOUR_MS - 1_000 };
    const runs: string[] = [];
    const id = await addInstallation(database);
    let isFull = true;
    const run = () => (isFull ? Promise.reject(new SandboxRefusal('sandbox-saturated')) : Promise.resolve());
    const { giveBack } = scheduleStore(database.knex);
    let lost = 1;
    const store: Partial<ScheduleStore> = {
      giveBack: async (refused) => {
        await giveBack(refused);
        if (refused.length > 0 && lost-- > 0) throw new Error('Connection terminated');
      },
    };
    const host = scheduler([id], runs, clock, { run, store });
    const other = scheduler([id], runs, clock);
    clock.nowMs += 5_000;
    await look(host);
    isFull = false;
    await look(other);
    await look(host);
    expect(runs).to.have.length(1);
  });

  it('tries again what there was no room for until it is too late', async () => {
    const clock = { nowMs: 10 * HOUR_MS - 1_000 };
    let refused = 0;
    const run = () => {
      refused += 1;
      return Promise.reject(new SandboxRefusal('sandbox-saturated'));
    };
    const host = scheduler([await addInstallation(database)], [], clock, { run });
    for (let seconds = 1; seconds < 120; seconds += 20) {
      clock.nowMs = 10 * HOUR_MS + seconds * 1_000;
      await look(host);
    }
    expect(refused).to.equal(3);
  });

  it('does not run again what was refused for good, or may have run in part', async () => {
    const clock = { nowMs: 10 * HOUR_MS - 1_000 };
    let tries = 0;
    const refusals = [new HostRefusal('installation-suspended'), new SandboxRefusal('sandbox-interrupted')];
    const ids = await Promise.all(refusals.map(() => addInstallation(database)));
    const run = (id: string) => {
      tries += 1;
      return Promise.reject(refusals[ids.indexOf(id)]);
    };
    const gone = await addInstallation(database);
    const host = scheduler([...ids, gone], [], clock, {
      run,
      factsOf: async (id) => (id === gone ? null : ({ id } as never)),
    });
    for (let looks = 0; looks < 3; looks += 1) {
      clock.nowMs += 5_000;
      await look(host);
    }
    expect(tries).to.equal(2);
  });

  it('looks on while a run takes long, and waits for it no longer than it is given', async () => {
    const clock = { nowMs: 10 * HOUR_MS - 1_000 };
    const ran: string[] = [];
    const [slow, other] = [await addInstallation(database), await addInstallation(database)];
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const run = async (id: string) => {
      if (id === slow) await ended;
      ran.push(id);
    };
    const host = scheduler([slow, other], [], clock, { cron: MINUTELY, run });
    for (let minute = 0; minute < 3; minute += 1) {
      await host.tick();
      clock.nowMs += 60_000;
    }
    await host.close(0);
    expect(ran).to.deep.equal([other, other]);
    end();
    await host.close(DRAIN_MS);
    expect(ran).to.deep.equal([other, other, slow, slow]);
  });

  it('leaves what a plugin did wrong, or had no CPU time for, to the log of the installation', async () => {
    const clock = { nowMs: 10 * HOUR_MS + 500 };
    const id = await addInstallation(database);
    const logged: unknown[] = [];
    const broken = new Error('broken');
    const fault = new PluginFaultError({ code: 'plugin-threw', message: 'x' }, 'v');
    for (const error of [fault, new HostRefusal('cpu-budget-exhausted'), broken]) {
      clock.nowMs += HOUR_MS - 1_500;
      const host = scheduler([id], [], clock, {
        run: () => Promise.reject(error),
        log: { ...silent, error: ({ err }: { err?: unknown }) => logged.push(err) },
      });
      clock.nowMs += 1_500;
      await look(host);
    }
    expect(logged).to.deep.equal([broken]);
  });

  it('finds enabled installations of releases with a schedule, and no others', async () => {
    const store = scheduleStore(database.knex);
    const [plain, scheduled, disabled] = [
      await addInstallation(database),
      await addInstallation(database, { schedule: [{ name: 'report', cron: '0 * * * *' }] }),
      await addInstallation(database, { schedule: [{ name: 'report', cron: '0 * * * *' }] }),
    ];
    await database.knex('installations').where({ id: disabled }).update({ enabled: false });
    const found = (await store.scheduled()).map(({ installationId }) => installationId);
    expect(found).to.include(scheduled).and.not.include(plain).and.not.include(disabled);
  });
});

describe('dueTimes', () => {
  it('counts in UTC, the start excluded and the end included', () => {
    expect(dueTimes('0 3 * * *', 3 * HOUR_MS, 27 * HOUR_MS)).to.deep.equal([27 * HOUR_MS]);
    expect(dueTimes('0 3 * * *', 0, 3 * HOUR_MS - 1)).to.deep.equal([]);
  });
});
