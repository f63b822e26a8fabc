/**
 * A real database for every `*.db.test.ts`, fresh and migrated, connected as the application role:
 *   let database: TestDatabase;
 *   before(async () => { database = await testDatabase(); });      // then: database.knex('organisations')...
 *   after(() => database.close());
 */

import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Knex } from 'knex';
import { asOwner, type Database, openDatabase } from '../host/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../host/embedded-postgres.ts';
import { migrateUp } from './run-migrations.ts';

export interface TestDatabase extends Database {
  /** As the host's own work: sees everything. */
  knex: Knex;
  appUrl: string;
  ownerUrl: string;
  /** Logs in as superuser; for what an administrator would do, such as ending connections. */
  superuserUrl: string;
  /** Runs `work` as the owner of the schema. */
  asOwner<Result>(work: (owner: Knex) => Promise<Result>): Promise<Result>;
  /** Resolves when somebody waits for a lock that somebody else holds. */
  untilLocked(): Promise<void>;
}

const TEMPLATE = 'gatehouse';

let server: Promise<EmbeddedPostgres> | null = null;
let folder: string | null = null;
let made = 0;

/** A new database with the whole schema and no rows. The server behind it starts once per mocha run. */
export async function testDatabase(): Promise<TestDatabase> {
  server ??= startServer();
  const postgres = await server;
  made += 1;
  const name = `test_${made}`;
  await asSuperuser(postgres, async (superuser) => {
    await superuser.raw('create database ?? template ?? owner gatehouse_owner', [name, TEMPLATE]);
    // Rights on the database itself are not copied with its contents.
    await superuser.raw('revoke all on database ?? from public', [name]);
    await superuser.raw('grant connect on database ?? to gatehouse_app', [name]);
  });
  const appUrl = postgres.urlOf('gatehouse_app', name);
  const ownerUrl = postgres.urlOf('gatehouse_owner', name);
  const database = await openDatabase({ appUrl, applicationName: name });
  return {
    ...database,
    knex: database.system,
    appUrl,
    ownerUrl,
    superuserUrl: postgres.urlOf('postgres', name),
    asOwner: (work) => asOwner(ownerUrl, work),
    async untilLocked() {
      const waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
      while ((await database.system.raw(waits)).rows.length === 0);
    },
    async close() {
      await database.close();
      await asSuperuser(postgres, (superuser) => superuser.raw('drop database if exists ?? with (force)', [name]));
    },
  };
}

const asSuperuser = <Result>(postgres: EmbeddedPostgres, work: (superuser: Knex) => Promise<Result>) =>
  asOwner(postgres.urlOf('postgres', 'postgres'), work);

async function startServer(): Promise<EmbeddedPostgres> {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  const postgres = await startEmbeddedPostgres({ folder, durable: false });
  process.once('exit', () => {
    // Only reached with the server still up when the run was cut short; its watchdog ends it.
    if (folder) rmSync(folder, { recursive: true, force: true });
  });
  await asOwner(postgres.ownerUrl, (owner) => migrateUp(owner, { appRole: 'gatehouse_app' }));
  return postgres;
}

async function stopServer(): Promise<void> {
  if (server === null) return;
  await (await server).stop();
  if (folder) await rm(folder, { recursive: true, force: true });
  folder = null;
  server = null;
}

// Imported at the top of a test file, so this is mocha's root suite: it runs once, after the last test of all files.
if (typeof after === 'function') after(stopServer);
