import { expect } from 'chai';
import type { Knex } from 'knex';
import { v7 } from 'uuid';
import { asOwner, connectOnce } from '../host/database.ts';
import { type DatabaseContext, inContext } from '../host/database-context.ts';
import { PERMISSIONS } from '../registry/rules/permissions.ts';
import { type Command, OWNERLESS, ROW_RULES, rowSecurityGaps } from './row-security.ts';
import { migrateUp } from './run-migrations.ts';
import { type TestDatabase, testDatabase } from './test-database.ts';
import { seedEveryTable, type World } from './test-rows.ts';

const COMMANDS: Command[] = ['select', 'insert', 'update', 'delete'];
const DENIED = '42501';
/** Row-level security let it pass, and then something else did not. */
const LATER_CODES = ['23505', '23503', '23001'];

/** The matrix: every table x every command x everybody, against what the rules say. */
describe('row-level security', () => {
  let database: TestDatabase;
  let world: World;
  before(async () => {
    database = await testDatabase();
    world = await seedEveryTable(database.knex);
  });
  after(() => database.close());

  it('has rules for every table, or a reason for none', async () => {
    const { rows } = await database.knex.raw(
      `select relname as name, relrowsecurity and relforcerowsecurity as secured from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
    );
    const listed = [...Object.keys(ROW_RULES), ...Object.keys(OWNERLESS)];
    expect(rows.map(({ name }: { name: string }) => name).sort()).to.deep.equal(listed.sort());
    const secured = rows.filter((row: { secured: boolean }) => row.secured);
    expect(secured.map(({ name }: { name: string }) => name).sort()).to.deep.equal(Object.keys(ROW_RULES).sort());
  });

  it('has a row of every table to be tried with', async () => {
    for (const table of Object.keys(ROW_RULES)) expect(world.rows[table], table).to.be.an('object');
  });

  for (const table of Object.keys(ROW_RULES)) {
    it(`gives rows of ${table} to their owner as the rules say, and to nobody else`, async () => {
      const { owner, owns, others = [] } = ROW_RULES[table]!;
      const tried = await attempts(table, { ...world.owner, role: 'operator-owner' });
      const mine = others.filter(({ who }) => who.startsWith('people, ')).flatMap(({ may }) => may);
      if (owner !== null) expect(allowedOf(tried), 'the owner').to.include.members([...owns, ...mine]);

      for (const role of Object.keys(PERMISSIONS)) {
        const staff = others.filter(({ who }) => who === `${role}s`).flatMap(({ may }) => may);
        const strangers = allowedOf(await attempts(table, { ...world.stranger, role }));
        expect(strangers, `a stranger with the role ${role}`).to.have.members([...new Set([...staff, ...mine])]);
      }
      expect(
        allowedOf(await attempts(table, { accountId: null, organisationId: null, role: 'anonymous' })),
      ).to.deep.equal([]);
      expect(allowedOf(await attempts(table, null)), 'without a context').to.deep.equal([]);
    });
  }

  it('keeps every owner from giving a row away, or taking another one', async () => {
    // The same columns as for owners, with the stranger's keys in them.
    const { rows } = world;
    const given = [
      ['api_tokens', { organisation_id: world.stranger.organisationId }],
      ['kv_entries', { installation_id: world.strangersInstallation }],
      ['installation_secrets', { installation_id: world.strangersInstallation }],
      ['notifications', { organisation_id: world.stranger.organisationId }],
      ['memberships', { organisation_id: world.stranger.organisationId }],
    ] as const;
    for (const [table, change] of given) {
      const row = { ...rows[table], ...change, ...('id' in rows[table]! && { id: v7() }) };
      const outcome = await asSomebody({ ...world.owner, role: 'operator-owner' }, (knex) => insert(knex, table, row));
      expect(outcome, table).to.equal(DENIED);
    }
  });

  it('shows publishers what runs of theirs: logs, and recordings as far as they are shared', async () => {
    const publisher = { ...world.publisher, role: 'publisher' };
    const counts = (tables: string[]) =>
      inContext(publisher, () =>
        Promise.all(tables.map(async (table) => [table, (await database.scoped(table).select('*')).length])),
      ).then(Object.fromEntries);
    const tables = ['installations', 'installation_logs', 'recordings', 'kv_entries', 'installation_secrets', 'usage'];
    const seen = { installations: 2, installation_logs: 1, kv_entries: 0, installation_secrets: 0, usage: 0 };
    expect(await counts(tables)).to.deep.equal({ ...seen, recordings: 0 });
    const settings = database.knex('recording_settings').where({ installation_id: world.rows.installations!.id });
    await settings.clone().update({ share: 'failures' });
    expect(await counts(['recordings'])).to.deep.equal({ recordings: 1 });
    await database.knex('recordings').delete();
    await database.knex('recordings').insert({ ...world.rows.recordings, outcome: 'completed' });
    expect(await counts(['recordings'])).to.deep.equal({ recordings: 0 });
    await settings.clone().update({ share: 'all' });
    expect(await counts(['recordings'])).to.deep.equal({ recordings: 1 });
  });

  it('shows anybody what is published, and nothing that is not', async () => {
    const anonymous = { accountId: null, organisationId: null, role: 'anonymous' };
    const plugins = () => inContext(anonymous, () => database.scoped('plugins').pluck('name'));
    expect(await plugins()).to.deep.equal([]);
    await database
      .knex('releases')
      .where({ id: world.rows.releases!.id })
      .update({ state: 'published', reviewed_at: new Date() });
    expect(await plugins()).to.deep.equal([world.rows.plugins!.name]);
    const released = inContext(anonymous, () => database.scoped('releases').pluck('version'));
    expect(await released).to.deep.equal(['1.0.0']);
    expect(await inContext(anonymous, () => database.scoped('release_artifacts').select())).to.deep.equal([]);
  });

  it('lets nobody write into the audit trail what somebody else did', async () => {
    const { id: _, ...rest } = JSON.parse(world.rows.audit_entries!.content as string);
    const entryOf = (change: object) => {
      const id = v7();
      const content = { ...rest, id, ...change };
      const { organisationId } = content;
      return { id, at: new Date(), organisation_id: organisationId, content: JSON.stringify(content) };
    };
    const { owner, stranger } = world;
    const acting = (who: { accountId: string; organisationId: string }, organisationId: string | null) => ({
      organisationId,
      actor: { via: 'session', accountId: who.accountId, organisationId: who.organisationId },
    });
    const write = (role: string, who: { accountId: string | null; organisationId: string | null }, change: object) =>
      asSomebody({ ...who, role }, (knex) => insert(knex, 'audit_entries', entryOf(change)));
    expect(await write('operator-owner', stranger, acting(owner, owner.organisationId))).to.equal(DENIED);
    expect(await write('operator-owner', stranger, acting(owner, null))).to.equal(DENIED);
    expect(await write('admin', stranger, acting(owner, owner.organisationId))).to.equal(DENIED);
    // A review of another organisation's release is the reviewer's own deed.
    expect(await write('moderator', stranger, acting(stranger, owner.organisationId))).to.equal(1);
    const alone = { accountId: owner.accountId, organisationId: null };
    expect(await write('user', alone, { organisationId: null, actor: { via: 'session', ...alone } })).to.equal(1);
    const nobody = { accountId: null, organisationId: null };
    expect(await write('anonymous', nobody, { organisationId: null, actor: { via: 'anonymous' } })).to.equal(DENIED);
  });

  it('shows a code of a device to people while it waits, and then to who has approved it alone', async () => {
    const codes = database.knex('device_codes').where({ id: world.rows.device_codes!.id });
    const seenBy = (who: object) =>
      inContext({ ...world.stranger, role: 'user', ...who }, () => database.scoped('device_codes').pluck('id'));
    const nobody = { accountId: null, organisationId: null, role: 'anonymous' };
    expect(await seenBy({})).to.deep.equal([]);
    await codes.clone().update({ state: 'pending', account_id: null, organisation_id: null });
    expect(await seenBy({})).to.have.length(1);
    expect(await seenBy(nobody)).to.deep.equal([]);
    // Nobody can approve it as somebody else.
    const give = (accountId: string) =>
      asSomebody({ ...world.stranger, role: 'user' }, (knex) =>
        knex('device_codes').update({ state: 'denied', account_id: accountId }),
      );
    expect([await give(world.owner.accountId), await give(world.stranger.accountId)]).to.deep.equal([DENIED, 1]);
  });

  it('lets an organisation write to whom it invites, and to no person in their own name', async () => {
    const write = (row: object, role = 'operator-owner', who: object = world.owner) =>
      asSomebody({ ...world.owner, role, ...who }, (knex) =>
        insert(knex, 'mail_outbox', { ...world.rows.mail_outbox, id: v7(), ...row }),
      );
    expect(await write({ account_id: null })).to.equal(1);
    expect(await write({ account_id: world.stranger.accountId })).to.equal(DENIED);
    expect(await write({ account_id: null }, 'user', { organisationId: null })).to.equal(DENIED);
  });

  it('binds the owner of the schema as well, and neither role can step around it', async () => {
    for (const url of [database.ownerUrl, database.appUrl]) {
      const client = await connectOnce(url, 'without-context');
      try {
        const { rows } = await client.query('select count(*)::int as count from organisations');
        expect(rows).to.deep.equal([{ count: 0 }]);
        const { rows: roles } = await client.query(
          'select rolsuper, rolbypassrls from pg_roles where rolname = current_user',
        );
        expect(roles).to.deep.equal([{ rolsuper: false, rolbypassrls: false }]);
      } finally {
        await client.end();
      }
    }
    const statements = [
      'alter table api_tokens disable row level security',
      'drop policy may_select on api_tokens',
      'create policy mine on api_tokens using (true)',
      `create or replace function app_role() returns text language sql as $$ select 'system' $$`,
      'set role gatehouse_owner',
    ];
    for (const statement of statements) {
      const error = await database.knex.raw(statement).catch((reason) => reason);
      expect(error.code, statement).to.equal(DENIED);
    }
  });

  it('is put back by the next migration where somebody changed it by hand, and is left alone otherwise', async () => {
    const policies = async () =>
      (await database.knex.raw('select oid::text, polname from pg_policy order by oid')).rows as { oid: string }[];
    const up = () => database.asOwner((owner) => migrateUp(owner, { appRole: 'gatehouse_app' }));
    const before = await policies();
    await up();
    expect(await policies()).to.deep.equal(before);
    await database.asOwner((owner) => owner.raw('create policy mine on api_tokens using (true)'));
    await up();
    expect((await policies()).length).to.equal(before.length);
    await database.asOwner((owner) => owner.raw('alter table api_tokens no force row level security'));
    expect(await rowSecurityGaps(database.knex)).to.deep.equal(['The table api_tokens is open to every context.']);
    const gaps = await asOwner(database.superuserUrl, rowSecurityGaps);
    expect(gaps[0]).to.equal('The role "postgres" steps around row-level security.');
    await up();
    expect(await rowSecurityGaps(database.knex)).to.deep.equal([]);
    const { rows } = await database.knex.raw(
      `select relforcerowsecurity as forced from pg_class where relname = 'api_tokens'`,
    );
    expect(rows).to.deep.equal([{ forced: true }]);
  });

  const allowedOf = (tried: Record<Command, boolean>) => COMMANDS.filter((command) => tried[command]);

  /** What somebody can do with the one row of a table; everything is taken back. Null: without a context. */
  const attempts = async (table: string, context: DatabaseContext | null): Promise<Record<Command, boolean>> => {
    const row = world.rows[table]!;
    const place = world.places[table]!;
    const here = (knex: Knex) => knex(table).whereRaw('ctid = ?::tid', [place]);
    const column = world.updatable[table] ?? Object.keys(row)[0]!;
    const reached = (outcome: unknown) => outcome === 1 || LATER_CODES.includes(outcome as string);
    return {
      select:
        (await asSomebody(context, (knex) =>
          here(knex)
            .select(knex.raw('1'))
            .then((found) => found.length),
        )) === 1,
      insert: reached(await asSomebody(context, (knex) => insert(knex, table, row))),
      update: reached(await asSomebody(context, (knex) => here(knex).update({ [column]: knex.ref(column) }))),
      delete: reached(await asSomebody(context, (knex) => here(knex).delete())),
    };
  };

  /** A number of rows, or the code of the error. */
  const asSomebody = async (
    context: DatabaseContext | null,
    work: (knex: Knex) => PromiseLike<number>,
  ): Promise<number | string> => {
    let count: number | string = 'nothing';
    const run = async () => {
      const transaction = await database.scoped.transaction();
      try {
        count = await work(transaction);
      } catch (error) {
        count = (error as { code: string }).code;
      } finally {
        await transaction.rollback();
      }
    };
    await (context === null ? run() : inContext(context, run));
    return count;
  };

  /** From JSON, as PostgreSQL wrote it: every type comes back as it was. */
  const insert = (knex: Knex, table: string, row: Record<string, unknown>) => {
    const columns = Object.keys(row).map((name) => `"${name}"`);
    return knex
      .raw(
        `insert into ${table} (${columns.join(', ')}) select ${columns.join(', ')} from json_populate_record(null::${table}, ?)`,
        [JSON.stringify(row)],
      )
      .then(({ rowCount }: { rowCount: number }) => rowCount);
  };
});
