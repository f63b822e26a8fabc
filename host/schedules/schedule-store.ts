import type { Knex } from 'knex';
import type { Manifest } from '../../plugins-sdk/contract/index.ts';

export interface ScheduledInstallation {
  installationId: string;
  schedule: NonNullable<Manifest['schedule']>;
}

export interface ScheduleStore {
  /** Installations that are enabled and not suspended, and whose release has a schedule. */
  scheduled(): Promise<ScheduledInstallation[]>;
  /** True for exactly one of all hosts that ask for this run. */
  claim(installationId: string, name: string, dueAtMs: number): Promise<boolean>;
  /** Forgets claims of runs that were due before. */
  forget(beforeMs: number): Promise<void>;
}

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
    claim: async (installationId, name, dueAtMs) => {
      const run = { installation_id: installationId, name, due_at: new Date(dueAtMs) };
      return (await database('schedule_runs').insert(run).onConflict().ignore().returning('name')).length === 1;
    },
    forget: async (beforeMs) => {
      await database('schedule_runs').where('due_at', '<', new Date(beforeMs)).delete();
    },
  };
}
