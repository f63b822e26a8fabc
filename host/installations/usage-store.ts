import type { Knex } from 'knex';

/** What one installation used, added up. */
export interface UsageSum {
  installationId: string;
  invocations: number;
  faults: number;
  cpuMs: number;
  hostCalls: number;
  inputBytes: number;
  outputBytes: number;
}

export interface UsageStore {
  /** Adds to the sums of the hour that `atMs` lies in. */
  add(sums: UsageSum[], atMs: number): Promise<void>;
}

/** Hourly sums per installation: the basis of metered prices. */
export function usageStore(database: Knex): UsageStore {
  return {
    add: async (sums, atMs) => {
      await database.raw(
        `INSERT INTO installation_usage AS used
           (installation_id, hour, invocations, faults, cpu_ms, host_calls, input_bytes, output_bytes)
         SELECT "installationId", date_trunc('hour', CAST(:at AS timestamptz)), invocations, faults, "cpuMs", "hostCalls", "inputBytes", "outputBytes"
         FROM jsonb_to_recordset(:sums) AS added ("installationId" uuid, invocations bigint, faults bigint,
           "cpuMs" float8, "hostCalls" bigint, "inputBytes" bigint, "outputBytes" bigint)
         WHERE EXISTS (SELECT 1 FROM installations WHERE installations.id = added."installationId")
         ON CONFLICT (installation_id, hour) DO UPDATE SET
           invocations = used.invocations + excluded.invocations, faults = used.faults + excluded.faults,
           cpu_ms = used.cpu_ms + excluded.cpu_ms, host_calls = used.host_calls + excluded.host_calls,
           input_bytes = used.input_bytes + excluded.input_bytes, output_bytes = used.output_bytes + excluded.output_bytes`,
        { at: new Date(atMs).toISOString(), sums: JSON.stringify(sums) },
      );
    },
  };
}
