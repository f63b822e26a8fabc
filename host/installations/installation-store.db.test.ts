import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../../migrations/test-database.ts';
import { addInstallation } from './fake-installation.ts';
import { type InstallationLogStore, installationLogStore, type LogLine } from './installation-log-store.ts';
import { DELETED_ROWS_MAX, type InstallationStore, installationStore, STORED_TABLES } from './installation-store.ts';
import { purgeRemoved } from './purge-removed.ts';
import { usageStore } from './usage-store.ts';

describe('installations in PostgreSQL', () => {
  let database: TestDatabase;
  let store: InstallationStore;
  let logs: InstallationLogStore;
  before(async () => {
    database = await testDatabase();
    store = installationStore(database.knex, ({ score }) => score);
    logs = installationLogStore(database.knex);
  });
  after(() => database.close());

  const existing = async () => (await store.byId(await addInstallation(database)))!;

  it('come back with the names of plugin, version and operator', async () => {
    const installation = await existing();
    expect(installation).to.include({ version: '1.0.0', enabled: true });
    expect(installation.plugin).to.match(/^p.*\/hello$/);
    expect(await store.bySlug(installation.operator.id, installation.slug)).to.deep.equal(installation);
    expect(await store.bySlug(uuidv7(), installation.slug)).to.equal(null);
  });

  it('are written once: neither the id nor the slug can be taken twice, also at once', async () => {
    const installation = await existing();
    expect(await store.insert({ ...installation, slug: 'another' })).to.equal(false);
    expect(await store.insert({ ...installation, id: uuidv7() })).to.equal(false);
    const racing = Array.from({ length: 5 }, () => store.insert({ ...installation, id: uuidv7(), slug: 'contended' }));
    expect((await Promise.all(racing)).filter(Boolean)).to.have.length(1);
  });

  it('keep grants, configuration and limits as they were given', async () => {
    const installation = await existing();
    const config = { list: [1, { deep: null }], text: 'a\u0000b' };
    const given = { grants: ['kv' as const, 'log' as const], config, grantedLimits: { cpuMs: 20 }, enabled: false };
    const other = { ...installation, id: uuidv7(), slug: 'given', ...given };
    expect(await store.insert(other)).to.equal(true);
    expect(await store.byId(other.id)).to.deep.include(given);
  });

  it('are found no more once removed before they were installed, take their entries along, and free their slug', async () => {
    const installation = { ...(await existing()), id: uuidv7(), slug: 'begun', enabled: false, installing: true };
    await store.insert(installation);
    await database.knex('kv_entries').insert({ installation_id: installation.id, key: 'x', value: '1', version: 1 });
    await store.remove(installation.id);
    expect(await store.byId(installation.id)).to.equal(null);
    expect(await database.knex('kv_entries').where({ installation_id: installation.id })).to.deep.equal([]);
    expect(await store.insert(installation)).to.equal(false);
    expect(await store.insert({ ...installation, id: uuidv7() })).to.equal(true);
  });

  it('are not removed as unfinished once they are installed', async () => {
    const { id } = await existing();
    await store.remove(id);
    expect(await store.byId(id)).to.include({ id, installing: false });
  });

  it('take along what they stored in every table, but not what was owed, judged or decided', async () => {
    const { rows } = await database.knex.raw(
      "SELECT table_name AS name FROM information_schema.columns WHERE column_name = 'installation_id' AND table_schema = 'public'",
    );
    const KEPT = [
      'usage',
      'usage_refusals',
      'usage_capabilities',
      'release_usage',
      'installation_conduct',
      'installation_strikes',
      'installation_grants',
      'notifications',
      'recording_settings',
      'rollouts',
      'schedule_runs',
      // Others have still to be told.
      'events',
    ];
    const tables = rows.map(({ name }: { name: string }) => name);
    expect(tables).to.have.members([...KEPT, ...STORED_TABLES]);
  });

  describe('that were removed', () => {
    const NOW = Date.UTC(2026, 5, 15);
    const errors: object[] = [];
    const purge = (stopping = new AbortController().signal) =>
      purgeRemoved({ store, log: { error: (facts) => errors.push(facts) }, nowMs: () => NOW })(stopping);
    const withLines = async (count: number, purgeAtMs = NOW) => {
      const { id, operator } = await existing();
      await database.knex.raw(
        `insert into installation_logs (id, installation_id, at, invocation_id, source, level, message)
         select gen_random_uuid(), ?, now(), '', 'host', 'info', 'x' from generate_series(1, ?)`,
        [id, count],
      );
      await database
        .knex('installations')
        .where({ id })
        .update({ deleted_at: new Date(), purge_at: new Date(purgeAtMs) });
      return { id, operatorId: operator.id };
    };
    const linesOf = async (id: string) =>
      (await database.knex('installation_logs').where({ installation_id: id }).pluck('id')).length;
    const guarded = async (rule: string, work: () => Promise<void>) => {
      await database.asOwner((owner) =>
        owner.raw(`
          create function guard() returns trigger language plpgsql as $$ begin
            if ${rule} then raise 'too much'; end if;
            return null;
          end $$;
          create trigger guard after delete on installation_logs referencing old table as gone
            for each statement execute function guard();`),
      );
      try {
        await work();
      } finally {
        await database.asOwner((owner) => owner.raw('drop function guard() cascade'));
      }
    };
    beforeEach(() => errors.splice(0));

    it('take along however much they stored, in statements that delete little', async () => {
      const { id } = await withLines(2 * DELETED_ROWS_MAX + 1);
      const kept = await withLines(1, NOW + 1);
      await guarded(`(select count(*) from gone) > ${DELETED_ROWS_MAX}`, () => purge());
      expect(errors).to.deep.equal([]);
      expect([await linesOf(id), await linesOf(kept.id)]).to.deep.equal([0, 1]);
      expect(await store.toPurge(NOW + 1)).to.deep.equal([kept.id]);
    });

    it('keep nobody else waiting where one cannot be purged, and go on where they stopped', async () => {
      const { id, operatorId } = await withLines(2 * DELETED_ROWS_MAX + 1, NOW - 1);
      const other = await withLines(1);
      const isLast = `exists (select from gone where installation_id = '${id}')
        and not exists (select from installation_logs where installation_id = '${id}')`;
      await guarded(isLast, () => purge());
      expect(errors).to.have.length(1);
      expect(errors[0]).to.include({ installationId: id });
      expect([await linesOf(id), await linesOf(other.id)]).to.deep.equal([1, 0]);
      expect(await store.toPurge(NOW)).to.deep.equal([id]);
      // Half of it is no installation any more.
      expect(await store.removed(operatorId, id, NOW)).to.deep.equal({ purged: true });
      expect(await store.restore(operatorId, id, NOW)).to.equal(false);

      await purge(AbortSignal.abort());
      expect(await linesOf(id)).to.equal(1);
      await purge();
      expect(await linesOf(id)).to.equal(0);
      expect(await store.toPurge(NOW)).to.deep.equal([]);
    });

    it('come back with everything until their grace is over', async () => {
      const { id, operatorId } = await withLines(1, NOW + 1);
      expect(await store.removed(operatorId, id, NOW)).to.deep.equal({ purged: false });
      expect(await store.restore(operatorId, id, NOW)).to.equal(true);
      expect(await store.toPurge(NOW + 1)).to.not.include(id);
      expect(await linesOf(id)).to.equal(1);
    });
  });

  it('are listed page by page for their operator only', async () => {
    const first = await existing();
    for (let at = 0; at < 4; at++) await store.insert({ ...first, id: uuidv7(), slug: `more-${at}` });
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: Awaited<ReturnType<InstallationStore['page']>> = await store.page(first.operator.id, {
        limit: 2,
        ...(cursor && { cursor }),
      });
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(ids).to.have.length(5);
    expect(new Set(ids).size).to.equal(5);
  });

  const line = (installationId: string, change: Partial<LogLine> = {}): LogLine => ({
    id: uuidv7(),
    installationId,
    at: new Date().toISOString(),
    invocationId: uuidv7(),
    source: 'console',
    level: 'info',
    message: 'hello',
    facts: {},
    ...change,
  });

  it('read their log newest first, from a level on, and only theirs', async () => {
    const [one, other] = [await existing(), await existing()];
    await logs.append([line(one.id, { message: 'a' }), line(other.id), line(one.id, { message: 'b', level: 'error' })]);
    expect((await logs.page(one.id, {})).items.map(({ message }) => message)).to.deep.equal(['b', 'a']);
    expect((await logs.page(one.id, { level: 'warn' })).items.map(({ message }) => message)).to.deep.equal(['b']);
  });

  it('log whatever text a plugin may write, and nothing for an installation that is gone', async () => {
    const one = await existing();
    const odd = { message: 'nul \u0000 lone \ud800', facts: { 'k\u0000': '\udfff' } };
    await logs.append([line(one.id, odd), line(uuidv7())]);
    const [entry] = (await logs.page(one.id, {})).items;
    expect(entry!.message).to.equal('nul \ufffd lone \ufffd');
    expect(entry!.facts).to.deep.equal({ 'k\ufffd': '\ufffd' });
  });

  it('refuse a cursor that no list returned', async () => {
    const one = await existing();
    const refused = await logs.page(one.id, { cursor: "x' or 1=1" }).catch((error) => error.code);
    expect(refused).to.equal('cursor-invalid');
  });

  it('add usage up by the hour', async () => {
    const { id } = await existing();
    const usage = usageStore(database.knex);
    const sum = {
      invocations: 2,
      faults: 1,
      cpuMs: 1.5,
      wallMs: 3,
      turns: 4,
      hostCalls: 5,
      inputBytes: 6,
      outputBytes: 7,
      executions: 2,
      queuedMs: 0.5,
      logBytes: 8,
      heapMiBMax: 3,
      startupCpuMs: 0.25,
      externalMiBMax: 1,
    };
    const hourMs = 3_600_000;
    const refused = { installationId: id, code: 'cpu-budget-exhausted', invocations: 3 } as const;
    await usage.add([{ installationId: id, ...sum }], [refused], 10 * hourMs);
    await usage.add(
      [
        { installationId: id, ...sum, heapMiBMax: 2.5, externalMiBMax: 2 },
        { installationId: uuidv7(), ...sum },
      ],
      [refused, { ...refused, code: 'installation-saturated' }, { ...refused, installationId: uuidv7() }],
      11 * hourMs - 1,
    );
    await usage.add([{ installationId: id, ...sum }], [], 11 * hourMs);
    await usage.add([], [refused], 11 * hourMs);
    const rows = await database.knex('usage').where({ installation_id: id }).orderBy('hour');
    expect(
      rows.map((row) => [Number(row.invocations), row.cpu_ms, row.queued_ms, Number(row.log_bytes), row.heap_mib_max]),
    ).to.deep.equal([
      [4, 3, 1, 16, 3],
      [2, 1.5, 0.5, 8, 3],
    ]);
    expect(rows.map((row) => [row.startup_cpu_ms, row.external_mib_max])).to.deep.equal([
      [0.5, 2],
      [0.25, 1],
    ]);
    const counted = await database.knex('usage_refusals').where({ installation_id: id }).orderBy(['hour', 'code']);
    expect(
      counted.map(({ hour, code, invocations }) => [hour.getTime() / hourMs, code, Number(invocations)]),
    ).to.deep.equal([
      [10, 'cpu-budget-exhausted', 6],
      [10, 'installation-saturated', 3],
      [11, 'cpu-budget-exhausted', 3],
    ]);
  });
});
