import { expect } from 'chai';
import { v7 } from 'uuid';
import type { Principal } from '../../registry/index.ts';
import { refusalOf, type TestPublisher, type TestRegistry, testRegistry } from '../../registry/test-registry.ts';
import { inContext } from '../database-context.ts';
import { HostRefusal } from '../errors.ts';
import { bucketOf } from '../rollouts/rules/latency-buckets.ts';
import { createStatistics } from './compose.ts';
import type { Statistics } from './contract.ts';
import { dayCounter } from './count-days.ts';
import { releaseUsageStore } from './release-usage-store.ts';
import { statisticsStore } from './statistics-store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PLUGIN = 'acme/greeter';
/** The beginning of the day on which the plugin of this test was made: nothing of it is older. */
let bornMs: number;
const day = (offset: number) => new Date(bornMs + offset * DAY_MS).toISOString().slice(0, 10);
const at = (offset: number, hours: number) => new Date(bornMs + offset * DAY_MS + hours * HOUR_MS);

/** As the scoped database sees it: row-level security holds. */
describe('statistics', () => {
  let test: TestRegistry;
  let acme: TestPublisher;
  let statistics: Statistics;
  let count: () => Promise<string[]>;
  const clock = { nowMs: 0 };
  const releases: string[] = [];
  const installed: string[] = [];
  const operators: Principal[] = [];

  before(async () => {
    test = await testRegistry();
    acme = await test.publisher('acme');
    for (const version of ['1.0.0', '1.1.0']) releases.push((await test.published(acme, { version })).id);
    const [plugin] = await test.database.knex('plugins').select('created_at');
    bornMs = Math.floor(plugin.created_at.getTime() / DAY_MS) * DAY_MS;
    for (const slug of ['shop', 'cafe', 'bakery', 'diner']) {
      operators.push(await test.organisation(slug, 'operator', 'operator-owner'));
    }
    const nowMs = () => clock.nowMs;
    count = dayCounter(test.database.system, nowMs).count;
    statistics = createStatistics({ store: statisticsStore(test.database.scoped), nowMs });
  });
  after(() => test.database.close());

  const as = <Result>(actor: Principal, work: () => Promise<Result>) =>
    inContext({ accountId: null, organisationId: actor.organisation.id, role: actor.role }, work);
  const read = (actor: Principal, range = {}) => as(actor, () => statistics.ofPlugin(actor, PLUGIN, range));
  const install = async (actor: Principal, createdAt: Date, changes = {}) => {
    const id = v7();
    const row = { id, operator_id: actor.organisation.id, slug: `greeter-${id.slice(-12)}x`, release_id: releases[0] };
    await test.database.knex('installations').insert({ ...row, created_at: createdAt, ...changes });
    installed.push(id);
    return id;
  };
  const durations = (ms: number, calls: number) => {
    const buckets = Array.from({ length: bucketOf(ms) + 1 }, () => 0);
    buckets[bucketOf(ms)] = calls;
    return buckets;
  };
  const use = (installation: number, release: number, when: Date, invocations: number, faults = 0, ms = 10) =>
    releaseUsageStore(test.database.system).add(
      [
        {
          installationId: installed[installation]!,
          releaseId: releases[release]!,
          ...{ invocations, faults, durations: durations(ms, invocations - faults) },
        },
      ],
      when.getTime(),
    );

  it('counts views, installations and use of a day', async () => {
    const { knex } = test.database;
    for (const actor of operators.slice(0, 3)) await install(actor, at(0, 1));
    await install(operators[3]!, at(0, 2), { deleted_at: at(0, 3) });
    const { plugin_id } = await knex('releases').where({ id: releases[0] }).first('plugin_id');
    await knex('listing_views').insert({ plugin_id, day: day(0), count: 7 });
    await use(0, 0, at(0, 4), 80, 20);
    await use(0, 0, at(0, 5), 10);
    await use(1, 0, at(0, 4), 5, 0, 900);
    await use(2, 0, at(0, 4), 5, 0, 900);
    const hour = at(0, 4);
    for (const installation_id of installed.slice(0, 3)) {
      await knex('usage_capabilities').insert({ installation_id, hour, capability: 'kv', calls: 4, refused: 1 });
    }
    await knex('usage_capabilities').insert({ installation_id: installed[0], hour, capability: 'fetch', calls: 9 });
    clock.nowMs = at(0, 6).getTime();
    expect(await count()).to.deep.equal([day(0)]);

    const { total, days, releases: byRelease, countedAt } = await read(acme.principal, { from: day(0), to: day(0) });
    expect(total).to.deep.include({ views: 7, installs: 4, updates: 0, uninstalls: 1, active: 3 });
    expect(total.use).to.deep.include({ invocations: 100, errors: 20, errorRate: 0.2 });
    expect(total.use!.p95Ms).to.be.within(900, 900 * 1.19);
    // What one operator alone makes it do is not told.
    expect(total.use!.capabilities).to.deep.equal([{ name: 'kv', calls: 12, refused: 3 }]);
    expect(days).to.deep.equal([{ day: day(0), ...total }]);
    expect(byRelease).to.deep.equal([{ version: '1.0.0', ...total, views: 0 }]);
    expect(countedAt).to.equal(at(0, 6).toISOString());
  });

  it('counts a day anew until an hour after its end, and comes to the same after a crash', async () => {
    const before = await test.database.knex('plugin_statistics').orderBy(['day', 'release_id']);
    expect(await count()).to.deep.equal([day(0)]);
    expect(await test.database.knex('plugin_statistics').orderBy(['day', 'release_id'])).to.deep.equal(before);
    // A host that died before it had counted the end of the day.
    clock.nowMs = at(1, 2).getTime();
    expect(await count()).to.deep.equal([day(0), day(1)]);
    expect(await count()).to.deep.equal([day(1)]);
    expect((await read(acme.principal, { from: day(0), to: day(0) })).total).to.deep.include({ installs: 4 });
    const inTurn = await Promise.all([count(), count(), count()]);
    expect(inTurn.flat().length).to.be.greaterThan(0);
    expect(await test.database.knex('plugin_statistics').where({ day: day(0) })).to.have.length(2);
  });

  it('counts updates by the history of rollouts, and gives use to the release that was running', async () => {
    const { knex } = test.database;
    const [from, to] = releases as [string, string];
    const move = { from_release_id: from, to_release_id: to, cause: 'policy', state: 'done', percent: 100 };
    for (const id of installed.slice(0, 2)) {
      const ended = at(1, 3);
      await knex('rollouts').insert({ id: v7(), installation_id: id, ...move, started_at: ended, ended_at: ended });
      await knex('installations').where({ id }).update({ release_id: to });
    }
    for (const installation of [0, 1, 2]) await use(installation, 0, at(1, 2), 10);
    for (const installation of [0, 1]) await use(installation, 1, at(1, 4), 7);
    clock.nowMs = at(1, 5).getTime();
    await count();
    const second = await read(acme.principal, { from: day(1), to: day(1) });
    expect(second.total).to.deep.include({ installs: 0, updates: 2, active: 3 });
    expect(second.total.use!.invocations).to.equal(44);
    // The end is that of the last day that was counted.
    expect((await read(acme.principal, { from: day(1), to: day(9) })).total.active).to.equal(3);
    // Two operators ran 1.1.0: it is told together with 1.0.0, so that nobody can subtract.
    expect(
      second.releases.map(({ version, updates, active, use: used }) => [version, updates, active, used?.invocations]),
    ).to.deep.equal([
      ['1.1.0', 2, 2, undefined],
      ['1.0.0', 0, 1, undefined],
      [null, 0, 0, 44],
    ]);
    // The first day is counted as it was, although the installations have moved on.
    await knex('statistics_days')
      .where({ day: day(0) })
      .update({ counted_at: at(0, 0) });
    await count();
    expect((await read(acme.principal, { from: day(0), to: day(0) })).releases[0]).to.include({
      version: '1.0.0',
      installs: 4,
      active: 3,
    });
  });

  it('tells nothing of use that fewer than three operators made, and many organisations of one person are one', async () => {
    const { knex } = test.database;
    for (const installation of [0, 1]) await use(installation, 1, at(2, 1), 50);
    clock.nowMs = at(2, 2).getTime();
    await count();
    const lonely = () => read(acme.principal, { from: day(2), to: day(2) });
    expect((await lonely()).total).to.deep.include({ active: 3, use: null });
    const swarm = v7();
    await knex('accounts').insert({ id: swarm, username: 'swarm', state: 'active', person_key: Buffer.alloc(100) });
    const join = async (organisationId: string, role: string) => {
      const membership = { id: v7(), organisation_id: organisationId, account_id: swarm, role };
      await knex('memberships').insert({ ...membership, created_at: new Date() });
    };
    for (const slug of ['puppet-1', 'puppet-2', 'puppet-3']) {
      const puppet = await test.organisation(slug, 'operator', 'operator-owner');
      await join(puppet.organisation.id, 'operator-owner');
      await install(puppet, at(2, 1));
      await use(installed.length - 1, 1, at(2, 1), 10);
    }
    await count();
    expect((await lonely()).total.use).to.deep.include({ invocations: 130 });
    // Whoever belongs to the publisher knows what they did themselves: the two others would be told apart.
    await join(acme.principal.organisation.id, 'developer');
    await count();
    expect((await lonely()).total.use).to.equal(null);
  });

  it('shows them to the publisher of the plugin and to analysts, and to nobody else', async () => {
    const rival = (await test.publisher('rival')).principal;
    const analyst: Principal = { ...test.admin, role: 'analyst' };
    expect((await refusalOf(read(rival))).code).to.equal('plugin-unknown');
    expect((await read(analyst, { to: day(2) })).total.installs).to.equal(7);
    const all = (actor: Principal, slug: string) =>
      as(actor, () => statistics.ofPublisher(actor, slug, { to: day(2) }));
    expect((await refusalOf(all(rival, 'acme'))).code).to.equal('organisation-foreign');
    expect((await all(rival, 'rival')).plugins).to.deep.equal([]);
    const { plugins } = await all(acme.principal, 'acme');
    expect(plugins).to.deep.equal([{ plugin: PLUGIN, ...(await read(acme.principal, { to: day(2) })).total }]);
    // The database itself shows nobody the rows of others.
    expect(await as(rival, () => test.database.scoped('plugin_statistics').select())).to.deep.equal([]);
    expect(await as(operators[0]!, () => test.database.scoped('plugin_statistics').select())).to.deep.equal([]);
  });

  it('refuses ranges that end before they begin, and those of more than a year', async () => {
    for (const range of [
      { from: day(1), to: day(0) },
      { from: '2020-01-01', to: '2021-01-01' },
      { from: '2026-02-01', to: '2026-02-31' },
      { to: '2026-13-01' },
      // There is no year 0 in the database, and no beginning before it.
      { to: '0000-06-01' },
      { to: '0001-01-01' },
    ]) {
      const refused = await read(acme.principal, range).catch((error) => error);
      expect(refused).to.be.instanceOf(HostRefusal);
      expect(refused.code).to.equal('statistics-range-invalid');
    }
    expect((await read(acme.principal, { from: '2020-01-01', to: '2020-12-31' })).days).to.have.length(366);
  });
});
