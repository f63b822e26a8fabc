import { migrationStatus } from '../migrations/run-migrations.ts';
import type { Sandbox } from '../sandbox/index.ts';
import { checkCordons } from './check-cordons.ts';
import type { Database } from './database.ts';
import type { LoadShedder } from './invocations/shed-load.ts';
import type { Readiness } from './routes/index.ts';
import type { Siblings } from './supervisor/siblings.ts';

/** Whether this host should get requests, part by part. */
export async function readiness(
  database: Database,
  sandbox: Sandbox,
  load: LoadShedder,
  siblings?: Pick<Siblings, 'areReady'>,
): Promise<Readiness> {
  const checks: Readiness['checks'] = {
    cordons: checkCordons(sandbox.status()),
    load:
      load.status().shedding === null
        ? { ok: true }
        : { ok: false, message: 'There is more to do than can be answered in time; requests to plugins are refused.' },
  };
  if (siblings) {
    checks.hosts = siblings.areReady()
      ? { ok: true }
      : { ok: false, message: 'Other hosts on this port have not started yet.' };
  }
  try {
    const late = (await migrationStatus(database.system)).filter(({ state }) => state === 'pending');
    checks.database = { ok: true };
    checks.migrations =
      late.length === 0
        ? { ok: true }
        : { ok: false, message: `Pending: ${late.map(({ name }) => name).join(', ')}. Run gatehouse migrate up.` };
  } catch {
    checks.database = { ok: false, message: 'The database does not answer.' };
  }
  return { ready: Object.values(checks).every(({ ok }) => ok), checks };
}
