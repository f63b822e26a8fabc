import type { Knex } from 'knex';
import type { ReleaseUsageStore } from './release-meter.ts';

/** Daily sums of what each installation did on each release. */
export const releaseUsageStore = (database: Knex): ReleaseUsageStore => ({
  add: async (sums, atMs) => {
    await database.raw(
      `INSERT INTO release_usage AS used (installation_id, release_id, day, invocations, faults, durations)
       SELECT added."installationId", added."releaseId", (CAST(:at AS timestamptz) AT TIME ZONE 'UTC')::date,
         added.invocations, added.faults, added.durations
       FROM json_to_recordset(:sums) AS added
         ("installationId" uuid, "releaseId" uuid, invocations bigint, faults bigint, durations bigint[])
       WHERE EXISTS (SELECT 1 FROM installations WHERE installations.id = added."installationId")
         AND EXISTS (SELECT 1 FROM releases WHERE releases.id = added."releaseId")
       -- In one order on every host, so that two never wait for each other.
       ORDER BY 1, 2
       ON CONFLICT (installation_id, release_id, day) DO UPDATE SET
         invocations = used.invocations + excluded.invocations,
         faults = used.faults + excluded.faults,
         durations = sum_of_arrays(used.durations, excluded.durations)`,
      { at: new Date(atMs).toISOString(), sums: JSON.stringify(sums) },
    );
  },
});
