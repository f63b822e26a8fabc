import type { Knex } from 'knex';
import type { Arm } from './contract.ts';

/** Calls of one release in one bucket of durations, or -1 for errors. */
export interface SampleCount {
  rolloutId: string;
  arm: Arm;
  bucket: number;
  calls: number;
}

export interface SampleStore {
  /** Adds to what other hosts have added: all of it or nothing. */
  add(counts: SampleCount[]): Promise<void>;
}

export const sampleStore = (database: Knex): SampleStore => ({
  add: async (counts) => {
    await database.raw(
      `INSERT INTO rollout_samples AS sample (rollout_id, arm, bucket, calls)
       SELECT added."rolloutId", added.arm, added.bucket, added.calls
       FROM json_to_recordset(:counts) AS added ("rolloutId" uuid, arm text, bucket smallint, calls bigint)
       WHERE EXISTS (SELECT 1 FROM rollouts WHERE rollouts.id = added."rolloutId")
       -- In one order on every host, so that two never wait for each other.
       ORDER BY 1, 2, 3
       ON CONFLICT (rollout_id, arm, bucket) DO UPDATE SET calls = sample.calls + excluded.calls`,
      { counts: JSON.stringify(counts) },
    );
  },
});
