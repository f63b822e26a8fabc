import type { Knex } from 'knex';
import type { Manifest } from '../../plugins-sdk/contract/index.ts';

export interface ScheduledInstallation {
  installationId: string;
  schedule: NonNullable<Manifest['schedule']>;
}

/** One run of a job that has come due. */
export interface DueRun {
  installationId: string;
  name: string;
  dueAtMs: number;
}

export interface ScheduleStore {
  /** Installations that are enabled and not suspended, and whose release has a schedule. */
  scheduled(): Promise<ScheduledInstallation[]>;
  /** Those of `runs` that nobody has claimed: each is the answer for exactly one of all hosts that ask. All or none are answered. */
  claim(runs: readonly DueRun[]): Promise<DueRun[]>;
  /** Lets these be claimed again. */
  giveBack(runs: readonly DueRun[]): Promise<void>;
  /** Forgets claims of runs that were due before. */
  forget(beforeMs: number): Promise<void>;
}

const RUNS = 'jsonb_to_recordset(CAST(? AS jsonb)) AS run ("installationId" uuid, name text, "dueAt" timestamptz)';
const textOf = (runs: readonly DueRun[]) =>
  JSON.stringify(runs.map(({ dueAtMs, ...run }) => ({ ...run, dueAt: new Date(dueAtMs) })));

export function scheduleStore(database: Knex): ScheduleStore {
  return {
    scheduled: async () => {
      const { rows } = await database.raw(`
        SELECT installation.id AS "installationId", release.manifest -> 'schedule' AS schedule
        FROM installations AS installation JOIN releases AS release ON release.id = installation.release_id
        LEFT JOIN installation_conduct AS conduct ON conduct.installation_id = installation.id
        WHERE installation.enabled AND installation.deleted_at IS NULL AND conduct.suspended_at IS NULL
          AND jsonb_array_length(coalesce(release.manifest -> 'schedule', '[]')) > 0`);
      return rows;
    },
    claim: async (runs) => {
      if (runs.length === 0) return [];
      const { rows } = await database.raw(
        `INSERT INTO schedule_runs (installation_id, name, due_at) SELECT "installationId", name, "dueAt" FROM ${RUNS}
         ON CONFLICT DO NOTHING RETURNING installation_id AS "installationId", name, due_at AS "dueAt"`,
        [textOf(runs)],
      );
      return rows.map(({ dueAt, ...run }: Omit<DueRun, 'dueAtMs'> & { dueAt: Date }) => ({
        ...run,
        dueAtMs: dueAt.getTime(),
      }));
    },
    giveBack: async (runs) => {
      if (runs.length === 0) return;
      await database.raw(
        `DELETE FROM schedule_runs AS claimed USING ${RUNS}
         WHERE claimed.installation_id = run."installationId" AND claimed.name = run.name AND claimed.due_at = run."dueAt"`,
        [textOf(runs)],
      );
    },
    forget: async (beforeMs) => {
      await database('schedule_runs').where('due_at', '<', new Date(beforeMs)).delete();
    },
  };
}
