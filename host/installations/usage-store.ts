import type { Knex } from 'knex';
import type { InvocationRefusalCode } from '../invocations/contract.ts';
import type { ReleaseUsageStore } from '../statistics/release-meter.ts';
import { releaseUsageStore } from '../statistics/release-usage-store.ts';

/** What one installation used, added up. */
export interface UsageSum {
  installationId: string;
  invocations: number;
  faults: number;
  /** Of invocations. */
  cpuMs: number;
  /** Of making isolates and of running the top-level code of bundles in them. */
  startupCpuMs: number;
  wallMs: number;
  /** Of `wallMs`, what they waited for their first turn. */
  queuedMs: number;
  turns: number;
  hostCalls: number;
  inputBytes: number;
  outputBytes: number;
  logBytes: number;
  executions: number;
  /** The largest, not the sum. */
  heapMiBMax: number;
  /** Of that, the buffers outside of V8's heap. */
  externalMiBMax: number;
}

/** Invocations that had no outcome; they are not in `UsageSum`. */
export interface RefusalSum {
  installationId: string;
  code: InvocationRefusalCode;
  invocations: number;
}

export interface UsageStore {
  /** What was done on each release, for statistics; see host/statistics. */
  addReleases: ReleaseUsageStore['add'];
  /** Adds to the sums of the hour that `atMs` lies in: all of it or nothing. Installations that are gone are left out. */
  add(sums: UsageSum[], refusals: RefusalSum[], atMs: number): Promise<void>;
}

/** Column of each largest value. */
const PEAKS = { heapMiBMax: 'heap_mib_max', externalMiBMax: 'external_mib_max' } as const;
/** Column of each sum. */
const COLUMNS = {
  invocations: 'invocations',
  faults: 'faults',
  cpuMs: 'cpu_ms',
  startupCpuMs: 'startup_cpu_ms',
  wallMs: 'wall_ms',
  queuedMs: 'queued_ms',
  turns: 'turns',
  hostCalls: 'host_calls',
  inputBytes: 'input_bytes',
  outputBytes: 'output_bytes',
  logBytes: 'log_bytes',
  executions: 'executions',
} as const satisfies Record<Exclude<keyof UsageSum, 'installationId' | keyof typeof PEAKS>, string>;

const names = Object.values(COLUMNS);
const peaks = Object.values(PEAKS);
const HOUR = "date_trunc('hour', CAST(:at AS timestamptz), 'UTC')";
const exists = (table: string) =>
  `EXISTS (SELECT 1 FROM installations WHERE installations.id = ${table}.installation_id)`;

/** One statement, so that what failed can be written again without counting anything twice. */
const ADD = `
  WITH usage_added AS (
    INSERT INTO usage AS used (installation_id, hour, ${[...peaks, ...names].join(', ')})
    SELECT installation_id, ${HOUR}, ${[...peaks, ...names].join(', ')}
    FROM json_to_recordset(:sums) AS added
      (installation_id uuid, ${[...peaks, ...names].map((name) => `${name} float8`).join(', ')})
    WHERE ${exists('added')}
    ON CONFLICT (installation_id, hour) DO UPDATE SET
      ${peaks.map((name) => `${name} = greatest(used.${name}, excluded.${name})`).join(', ')},
      ${names.map((name) => `${name} = used.${name} + excluded.${name}`).join(', ')}
  )
  INSERT INTO usage_refusals AS refused (installation_id, hour, code, invocations)
  SELECT installation_id, ${HOUR}, code, invocations
  FROM json_to_recordset(:refusals) AS added (installation_id uuid, code text, invocations bigint)
  WHERE ${exists('added')}
  ON CONFLICT (installation_id, hour, code) DO UPDATE SET invocations = refused.invocations + excluded.invocations`;

/** Hourly sums per installation: the basis of metered prices. */
export function usageStore(database: Knex): UsageStore {
  return {
    addReleases: releaseUsageStore(database).add,
    add: async (sums, refusals, atMs) => {
      const columns: Record<string, string> = { ...COLUMNS, ...PEAKS };
      const rows = sums.map(({ installationId, ...sum }) => ({
        installation_id: installationId,
        ...Object.fromEntries(Object.entries(sum).map(([name, value]) => [columns[name], value])),
      }));
      const refused = refusals.map(({ installationId, ...rest }) => ({ installation_id: installationId, ...rest }));
      await database.raw(ADD, {
        at: new Date(atMs).toISOString(),
        sums: JSON.stringify(rows),
        refusals: JSON.stringify(refused),
      });
    },
  };
}
