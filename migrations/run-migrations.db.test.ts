import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { asOwner } from '../host/database.ts';
import { GRANTS } from './grants.ts';
import { MigrationRefused, migrateUp, migrationStatus } from './run-migrations.ts';
import { type TestDatabase, testDatabase } from './test-database.ts';

const FILES = /^\d{4}-.*\.ts$/;

describe('migrateUp', () => {
  let database: TestDatabase;
  let folder: string;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-migrations-'));
    // A copy of the real ones: only the folder differs from what a host runs.
    for (const name of (await readdir(import.meta.dirname)).filter((each) => FILES.test(each))) {
      await cp(join(import.meta.dirname, name), join(folder, name));
    }
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const migration = (name: string, sql: string) =>
    writeFile(join(folder, `${name}.ts`), `export const up = (db: any) => db.raw(\`${sql}\`);`);
  const up = (target = database, appRole = 'gatehouse_app') =>
    target.asOwner((owner) => migrateUp(owner, { appRole, folder }));
  const statesIn = async (target: TestDatabase) =>
    Object.fromEntries((await migrationStatus(target.knex, folder)).map(({ name, state }) => [name, state]));
  const refusal = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => expect.fail('it migrated'),
      (reason) => reason,
    );
    expect(error).to.be.instanceOf(MigrationRefused);
    return error.message as string;
  };
  /** A database that nothing was ever applied to. */
  const empty = async () => {
    const target = await testDatabase();
    await target.asOwner((owner) => owner.raw('drop owned by current_user cascade'));
    await asOwner(target.superuserUrl, async (superuser) => {
      await superuser.raw('drop schema if exists public cascade');
      await superuser.raw('create schema public authorization pg_database_owner');
      await superuser.raw('grant usage on schema public to public');
    });
    return target;
  };

  it('applies everything to an empty database once, in order', async () => {
    const target = await empty();
    try {
      const names = (await readdir(folder)).map((name) => name.replace('.ts', '')).sort();
      expect(Object.values(await statesIn(target)).every((state) => state === 'pending')).to.equal(true);
      expect((await up(target)).applied).to.deep.equal(names);
      expect((await up(target)).applied).to.deep.equal([]);
      expect(Object.values(await statesIn(target)).every((state) => state === 'applied')).to.equal(true);
    } finally {
      await target.close();
    }
  });

  it('lets several hosts migrate at once, and each migration run once', async () => {
    const target = await empty();
    try {
      const outcomes = await Promise.all([up(target), up(target), up(target), up(target)]);
      const applied = outcomes.flatMap((outcome) => outcome.applied);
      expect(applied).to.deep.equal([...new Set(applied)]);
      expect(applied.length).to.equal((await readdir(folder)).length);
    } finally {
      await target.close();
    }
  });

  it('goes on where a host was killed in the middle of migrating', async () => {
    await database.asOwner((owner) => owner('knex_migrations_lock').update({ is_locked: 1 }));
    await migration('7001-create-after-kill', 'create table after_kill (id int)');
    expect((await up()).applied).to.deep.equal(['7001-create-after-kill']);
  });

  it('leaves nothing of migrations that fail, and names the fault', async () => {
    await migration('7002-create-good', 'create table good (id int)');
    await migration('7003-create-bad', 'create table bad (id int); select * from missing');
    const error = await up().catch((reason) => reason);
    expect(error.message).to.contain('relation "missing" does not exist');
    const { rows } = await database.knex.raw(`select to_regclass('good') as good, to_regclass('bad') as bad`);
    expect(rows).to.deep.equal([{ good: null, bad: null }]);
    expect(await statesIn(database)).to.include({ '7002-create-good': 'pending' });
  });

  it('refuses a migration that was edited after it was applied, and changes nothing', async () => {
    await appendFile(join(folder, '0001-create-identity.ts'), '\n// A harmless remark.\n');
    await migration('7004-create-late', 'create table late (id int)');
    expect(await refusal(up())).to.contain('0001-create-identity was edited after it was applied');
    expect(await statesIn(database)).to.include({ '0001-create-identity': 'changed', '7004-create-late': 'pending' });
  });

  it('does not mind the line ends of another system', async () => {
    const path = join(folder, '0001-create-identity.ts');
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('\n', '\r\n'));
    expect((await up()).applied).to.deep.equal([]);
  });

  it('leaves alone what a newer version has applied', async () => {
    await migration('7005-create-newer', 'create table newer (id int)');
    await up();
    await rm(join(folder, '7005-create-newer.ts'));
    expect((await up()).applied).to.deep.equal([]);
    expect(await statesIn(database)).to.include({ '7005-create-newer': 'unknown' });
  });

  it('refuses an application role that does not exist, and says how to create it', async () => {
    expect(await refusal(up(database, 'nobody_here'))).to.contain('create role "nobody_here" login');
  });

  it('refuses an application role that row-level security does not bind', async () => {
    await asOwner(database.superuserUrl, (superuser) => superuser.raw('create role unbound login bypassrls'));
    expect(await refusal(up(database, 'unbound'))).to.contain('The role "unbound" steps around row-level security');
    expect(await refusal(up(database, 'postgres'))).to.contain('create role gatehouse_app login');
  });

  it('works with one role for both', async () => {
    expect((await up(database, 'gatehouse_owner')).applied).to.deep.equal([]);
  });

  it('takes back a right that is no longer in the list', async () => {
    await database.asOwner((owner) => owner.raw('grant delete on organisations to gatehouse_app'));
    await up();
    const error = await database
      .knex('organisations')
      .del()
      .catch((reason) => reason);
    expect(error.code).to.equal('42501');
  });
});

describe('grants', () => {
  it('say of every table what the application may do with it', async () => {
    const database = await testDatabase();
    try {
      const { rows } = await database.knex.raw(
        `select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'knex_%'`,
      );
      expect(rows.map(({ name }: { name: string }) => name).sort()).to.deep.equal(Object.keys(GRANTS).sort());
    } finally {
      await database.close();
    }
  });
});
