import { stop as stopBundler } from 'esbuild';
import { startHost } from '../compose.ts';
import { createLog } from '../log.ts';
import { openPlatformDatabase, requireMigrated } from '../open-database.ts';
import { configOf, RoleRefused, type ServerFlags } from './role.ts';
import { stayUp } from './stay-up.ts';

/** `gatehouse serve`: a host on a PostgreSQL of its own, until it is asked to end. */
export async function serve(flags: ServerFlags): Promise<number> {
  const config = configOf(flags);
  if (config.databaseUrl === null) {
    throw new RoleRefused(
      'serve needs DATABASE_URL; to try Gatehouse without a PostgreSQL of your own, run: npm start.',
    );
  }
  const log = createLog(config.logLevel);
  const database = await openPlatformDatabase(config, log);
  await requireMigrated(database);
  const host = await startHost({ config, appUrl: database.appUrl, log });
  // It made the guest and the code of cordons, which are made once; its process would keep 40 MiB.
  await stopBundler();
  log.info({ url: host.url }, 'ready');
  return stayUp(host.close, new Promise(() => {}));
}
