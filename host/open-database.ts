import path from 'node:path';
import { MigrationRefused, migrateUp, migrationStatus } from '../migrations/run-migrations.ts';
import type { Config } from './config.ts';
import { asOwner, databaseUrls, roleOf } from './database.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { Log } from './http/log.ts';

/** The PostgreSQL that a Gatehouse works on: its own embedded one, or the one that DATABASE_URL names. */
export interface PlatformDatabase {
  /** One short phrase for people, such as `embedded, in .gatehouse/postgres`. */
  description: string;
  appUrl: string;
  ownerUrl: string;
  /** What a person types for a role of `gatehouse`, such as `migrate up`, to work on this very one. */
  command(role: string): string;
  /** Ends the embedded server; call it last. */
  close(): Promise<void>;
}

/** Refuses with: EmbeddedPostgresFailed, DatabaseUnavailable. */
export async function openPlatformDatabase(
  config: Config,
  log: Log,
  onDeath: (message: string) => void = () => {},
): Promise<PlatformDatabase> {
  if (config.databaseUrl !== null) {
    const urls = databaseUrls({
      databaseUrl: config.databaseUrl,
      databaseOwnerUrl: config.databaseOwnerUrl ?? undefined,
    });
    // As the guide has it, only `migrate` is given the owner's address: that it is not here says nothing.
    if (await ownsTables(urls.appUrl)) log.warn({}, OWNS_TABLES);
    return { ...urls, description: 'own, by DATABASE_URL', command, close: async () => {} };
  }
  const folder = path.join(config.dataFolder, 'postgres');
  const { appUrl, ownerUrl, stop } = await startEmbeddedPostgres({ folder, log, onDeath });
  return {
    appUrl,
    ownerUrl,
    description: `embedded, in ${nearPath(folder)}`,
    command: (role) => `${command(role)} --data ${quoted(nearPath(config.dataFolder))}`,
    close: stop,
  };
}

const command = (role: string): string => `gatehouse ${role}`;

/** As a word for a shell. */
const quoted = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const OWNS_TABLES =
  'The role of DATABASE_URL owns the tables and could take its row-level security away; give the application a role of its own.';

/** Whoever may act as the owner owns them, too. */
const ownsTables = (url: string): Promise<boolean> =>
  asOwner(url, async (database) => {
    const { rows } = await database.raw(
      `select 1 from pg_class where oid = to_regclass('migrations') and pg_has_role(relowner, 'member')`,
    );
    return rows.length > 0;
  });

/** Applies pending migrations; returns their names. Refuses with: MigrationRefused, DatabaseUnavailable. */
export const migrate = ({ appUrl, ownerUrl }: PlatformDatabase): Promise<string[]> =>
  asOwner(ownerUrl, async (owner) => {
    const { rows } = await owner.raw(`select has_schema_privilege('public', 'create') as may`);
    if (!rows[0].may)
      throw new MigrationRefused(
        `The role "${roleOf(ownerUrl)}" may not change the schema: set DATABASE_OWNER_URL to the address of the role that owns the database.`,
      );
    return (await migrateUp(owner, { appRole: roleOf(appUrl) })).applied;
  });

/** A host must not work on a schema that it does not know. Refuses with: MigrationRefused, DatabaseUnavailable. */
export const requireMigrated = ({ appUrl, command }: Pick<PlatformDatabase, 'appUrl' | 'command'>): Promise<void> =>
  asOwner(appUrl, async (knex) => {
    const late = (await migrationStatus(knex)).filter(({ state }) => state === 'pending' || state === 'changed');
    if (late.length === 0) return;
    const names = late.map(({ name, state }) => `${name} (${state})`).join(', ');
    throw new MigrationRefused(`The database is not up to date: ${names}; run: ${command('migrate up')}`);
  });

/** A path as a person would type it here. */
export function nearPath(file: string): string {
  const relative = path.relative('.', file);
  return relative.startsWith('..') ? file : relative || '.';
}
