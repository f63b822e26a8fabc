import { expect } from 'chai';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { HostRefusal } from '../errors.ts';
import { addInstallation } from '../installations/fake-installation.ts';
import { createScheduler, dueTimes } from './run-schedules.ts';
import { scheduleStore } from './schedule-store.ts';

const HOUR_MS = 3_600_000;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe('createScheduler', () => {
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());

  const scheduler = (installationId: string, runs: string[], clock: { nowMs: number }) =>
    createScheduler({
      store: {
        ...scheduleStore(database.knex),
        scheduled: async () => [{ installationId, schedule: [{ name: 'report', cron: '0 * * * *' }] }],
      },
      factsOf: async () => ({}) as never,
      runPlugin: async (_installation, job) => {
        runs.push((job as { dueAt: string }).dueAt);
        return {} as never;
      },
      nowMs: () => clock.nowMs,
      log: silent,
    });

  it('runs a job once when it comes due, on one of many hosts', async () => {
    const clock = { nowMs: 10 * HOUR_MS - 1_000 };
    const runs: string[] = [];
    const id = await addInstallation(database);
    const hosts = Array.from({ length: 5 }, () => scheduler(id, runs, clock));
    await Promise.all(hosts.map((host) => host.tick()));
    expect(runs).to.deep.equal([]);
    clock.nowMs = 10 * HOUR_MS + 500;
    await Promise.all(hosts.map((host) => host.tick()));
    await Promise.all(hosts.map((host) => host.tick()));
    expect(runs).to.deep.equal(['1970-01-01T10:00:00.000Z']);
  });

  it('leaves out what came due long before it looks again', async () => {
    const clock = { nowMs: 10 * HOUR_MS };
    const runs: string[] = [];
    const host = scheduler(await addInstallation(database), runs, clock);
    clock.nowMs = 13 * HOUR_MS + 30_000;
    await host.tick();
    expect(runs).to.deep.equal(['1970-01-01T13:00:00.000Z']);
  });

  it('leaves what a plugin did wrong, or had no CPU time for, to the log of the installation', async () => {
    const clock = { nowMs: 10 * HOUR_MS + 500 };
    const id = await addInstallation(database);
    const logged: unknown[] = [];
    const failing = (error: Error) =>
      createScheduler({
        store: {
          ...scheduleStore(database.knex),
          scheduled: async () => [{ installationId: id, schedule: [{ name: 'report', cron: '0 * * * *' }] }],
        },
        factsOf: async () => ({}) as never,
        runPlugin: () => Promise.reject(error),
        nowMs: () => clock.nowMs,
        log: { ...silent, error: ({ err }: { err?: unknown }) => logged.push(err) },
      });
    const broken = new Error('broken');
    for (const error of [new HostRefusal('cpu-budget-exhausted'), new HostRefusal('installation-saturated'), broken]) {
      clock.nowMs += HOUR_MS - 1_500;
      const host = failing(error);
      clock.nowMs += 1_500;
      await host.tick();
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
