import { migrationStatus } from '../../migrations/run-migrations.ts';
import type { Config } from '../config.ts';
import { asOwner } from '../database.ts';
import { migrate, openPlatformDatabase, type PlatformDatabase } from '../open-database.ts';
import { configOf, openLog, type ServerFlags } from './role.ts';

type MigrateFlags = Pick<ServerFlags, 'data'> & { json?: true };

/** Opens the configured database, works, and closes it. */
export async function withDatabase<Result>(
  flags: ServerFlags,
  work: (database: PlatformDatabase, config: Config) => Promise<Result>,
): Promise<Result> {
  const config = configOf(flags, { GATEHOUSE_LOG_LEVEL: 'warn' });
  const database = await openPlatformDatabase(config, openLog(config));
  try {
    return await work(database, config);
  } finally {
    await database.close();
  }
}

/** `gatehouse migrate up` */
export const migrateUp = (flags: MigrateFlags): Promise<number> =>
  withDatabase(flags, async (database) => {
    const applied = await migrate(database);
    process.stdout.write(applied.length === 0 ? 'Up to date.\n' : applied.map((name) => `applied ${name}\n`).join(''));
    return 0;
  });

/** `gatehouse migrate status` */
export const migrateStatus = ({ json, ...flags }: MigrateFlags): Promise<number> =>
  withDatabase(flags, async ({ appUrl }) => {
    const migrations = await asOwner(appUrl, (knex) => migrationStatus(knex));
    const lines = migrations.map(({ name, state, appliedAt }) =>
      `${state.padEnd(8)} ${name} ${appliedAt ?? ''}`.trimEnd(),
    );
    process.stdout.write(json ? `${JSON.stringify(migrations)}\n` : `${lines.join('\n')}\n`);
    return migrations.every(({ state }) => state === 'applied' || state === 'unknown') ? 0 : 1;
  });
