import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Knex } from 'knex';
import { GRANTS } from './grants.ts';
import { migrateQueueSchema } from './migrate-queue-schema.ts';
import { secureRows } from './row-security.ts';

/** Migrations cannot run. The message is one sentence for the person who runs Gatehouse. */
export class MigrationRefused extends Error {
  override name = 'MigrationRefused';
}

export interface MigrationStatus {
  /** Such as `0001-create-identity`. */
  name: string;
  /** `changed`: edited after it was applied. `unknown`: applied by a newer Gatehouse. */
  state: 'applied' | 'pending' | 'changed' | 'unknown';
  appliedAt: string | null;
}

interface MigrationFile {
  name: string;
  path: string;
  /** SHA-256 of the source text with Unix line ends, lower-case hex. */
  sha256: string;
}

const FILE_PATTERN = /^(\d{4}-[a-z0-9-]+)\.ts$/;
/** Session lock: two hosts that start at once take turns. */
const LOCK_KEYS = [0x6761, 0x6d69];

/**
 * Applies what is pending in one transaction, then grants the application role its rights and secures the rows of every table.
 * `owner` needs at least two connections: one holds the lock. Safe to run at once from several hosts, and again.
 * Refuses with: MigrationRefused for a migration edited after it was applied, and for an application role that does not exist.
 */
export async function migrateUp(
  owner: Knex,
  options: { appRole: string; folder?: string },
): Promise<{ applied: string[] }> {
  const files = await readMigrations(options.folder);
  return alone(owner, async () => {
    await createHistory(owner);
    const changed = (await compare(owner, files)).filter(({ state }) => state === 'changed');
    if (changed.length > 0) {
      throw new MigrationRefused(
        `Migration ${changed.map(({ name }) => name).join(', ')} was edited after it was applied; restore it and write a new one.`,
      );
    }
    // Whoever is here holds the advisory lock, so a lock row that knex left behind belongs to a process that was killed.
    const config = { migrationSource: sourceOf(files), ...KNEX_TABLES };
    await owner.migrate.forceFreeMigrationsLock(config);
    const [, applied] = (await owner.migrate.latest(config)) as [number, string[]];
    await grantRights(owner, options.appRole);
    await secureRows(owner);
    if (options.folder === undefined) await migrateQueueSchema(owner, options.appRole);
    return { applied };
  });
}

/** Every migration in order, with its state. Needs no rights but to read; an empty database has all pending. */
export async function migrationStatus(database: Knex, folder?: string): Promise<MigrationStatus[]> {
  const files = await readMigrations(folder);
  const { rows } = await database.raw(`select to_regclass('migrations') is not null as present`);
  if (!rows[0].present) return files.map(({ name }) => ({ name, state: 'pending', appliedAt: null }));
  return compare(database, files);
}

const KNEX_TABLES = { tableName: 'knex_migrations', disableMigrationsListValidation: true };

/** knex runs and orders the migrations; the table `migrations` adds what it does not keep: a checksum. */
function sourceOf(files: MigrationFile[]): Knex.MigrationSource<MigrationFile> {
  return {
    getMigrations: async () => files,
    getMigrationName: ({ name }) => name,
    async getMigration({ name, path, sha256 }) {
      const { up } = (await import(pathToFileURL(path).href)) as { up(db: Knex): Promise<void> };
      return {
        async up(transaction: Knex) {
          await up(transaction);
          await transaction('migrations').insert({ name, sha256 });
        },
        async down() {
          throw new MigrationRefused('Migrations only go forward; write a new one that undoes it.');
        },
      };
    },
  };
}

async function readMigrations(folder = import.meta.dirname): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => FILE_PATTERN.test(name)).sort();
  return Promise.all(
    names.map(async (file) => {
      const path = join(folder, file);
      const text = (await readFile(path, 'utf8')).replace(/\r\n/g, '\n');
      return { name: file.replace(FILE_PATTERN, '$1'), path, sha256: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

async function compare(database: Knex, files: MigrationFile[]): Promise<MigrationStatus[]> {
  const rows: { name: string; sha256: string; applied_at: Date }[] = await database('migrations').orderBy('name');
  const applied = new Map(rows.map((row) => [row.name, row]));
  const known = files.map(({ name, sha256 }): MigrationStatus => {
    const row = applied.get(name);
    if (!row) return { name, state: 'pending', appliedAt: null };
    const state = row.sha256 === sha256 ? 'applied' : 'changed';
    return { name, state, appliedAt: row.applied_at.toISOString() };
  });
  const unknown = rows
    .filter(({ name }) => !files.some((file) => file.name === name))
    .map(({ name, applied_at }): MigrationStatus => ({ name, state: 'unknown', appliedAt: applied_at.toISOString() }));
  return [...known, ...unknown];
}

/** Runs `work` while this process alone holds the lock, which ends with its connection. */
async function alone<Result>(owner: Knex, work: () => Promise<Result>): Promise<Result> {
  return owner.transaction(async (holder) => {
    await holder.raw('set local idle_in_transaction_session_timeout = 0');
    await holder.raw('select pg_advisory_xact_lock(?, ?)', LOCK_KEYS);
    return work();
  });
}

async function createHistory(owner: Knex): Promise<void> {
  await owner.raw(`
    create table if not exists migrations (
      name text primary key,
      sha256 text not null,
      applied_at timestamptz not null default now()
    )`);
}

async function grantRights(owner: Knex, appRole: string): Promise<void> {
  const { rows } = await owner.raw(
    `select current_user = ? as same, exists (select from pg_roles where rolname = ?) as present,
       exists (select from pg_roles where rolname = ? and (rolsuper or rolbypassrls)) as unbound`,
    [appRole, appRole, appRole],
  );
  if (rows[0].unbound) {
    throw new MigrationRefused(
      `The role "${appRole}" steps around row-level security, which keeps organisations apart; let Gatehouse log in as another, made with: create role gatehouse_app login.`,
    );
  }
  if (!rows[0].present) {
    throw new MigrationRefused(
      `The database has no role "${appRole}"; create it with: create role "${appRole}" login.`,
    );
  }
  // With one role for both, the owner keeps all its rights; only the triggers hold.
  if (rows[0].same) return;
  await owner.transaction(async (transaction) => {
    await transaction.raw('grant usage on schema public to ??', [appRole]);
    await transaction.raw('revoke all on all tables in schema public from ??', [appRole]);
    for (const [table, rights] of Object.entries(GRANTS)) {
      await transaction.raw(`grant ${rights.join(', ')} on ?? to ??`, [table, appRole]);
    }
  });
}
