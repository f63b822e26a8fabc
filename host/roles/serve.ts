import { startHost } from '../compose.ts';
import type { Config } from '../config.ts';
import { openPlatformDatabase, requireMigrated } from '../open-database.ts';
import { isSupervised } from '../supervisor/siblings.ts';
import { leaveStartBehind } from './leave-start-behind.ts';
import { configOf, openLog, RoleRefused, type ServerFlags } from './role.ts';
import { serveSupervised, superviseHosts } from './serve-hosts.ts';
import { stayUp } from './stay-up.ts';

export interface ServeFlags extends ServerFlags {
  /** On the embedded PostgreSQL of the data folder. */
  embedded?: true;
}

/** `gatehouse serve`: one host or several on one port, until it is asked to end. */
export async function serve({ embedded, ...flags }: ServeFlags): Promise<number> {
  const config = configOf(flags);
  requireChosenDatabase(config, embedded === true);
  // The same command, started by itself once for each host.
  if (isSupervised()) return serveSupervised(config);
  const log = openLog(config);
  const lost = Promise.withResolvers<string>();
  const database = await openPlatformDatabase(config, log, lost.resolve);
  const { appUrl } = database;
  try {
    await requireMigrated(database);
    if (config.hosts > 1) return await superviseHosts({ config, appUrl, log, died: lost.promise });
    const host = await startHost({ config, appUrl, log });
    await leaveStartBehind();
    log.info({ url: host.url }, 'ready');
    return await stayUp(host.close, lost.promise);
  } finally {
    await database.close();
  }
}

/** Which database to serve from must be said: a forgotten DATABASE_URL would show an empty platform. */
function requireChosenDatabase({ databaseUrl }: Config, isEmbedded: boolean): void {
  if (databaseUrl === null && !isEmbedded) {
    throw new RoleRefused(
      'serve needs DATABASE_URL, or --embedded for the PostgreSQL in the data folder; to try Gatehouse, run: npm start.',
    );
  }
  if (databaseUrl !== null && isEmbedded) {
    throw new RoleRefused('--embedded and DATABASE_URL name two databases; leave one of them out.');
  }
}
