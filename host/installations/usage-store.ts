import type { Knex } from 'knex';

/** What one installation used, added up. */
export interface UsageSum {
  installationId: string;
  invocations: number;
  faults: number;
  cpuMs: number;
  wallMs: number;
  turns: number;
  hostCalls: number;
  inputBytes: number;
  outputBytes: number;
  executions: number;
}

export interface UsageStore {
  /** Adds to the sums of the hour that `atMs` lies in. */
  add(sums: UsageSum[], atMs: number): Promise<void>;
}

/** Column of each sum. */
const COLUMNS = {
  invocations: 'invocations',
  faults: 'faults',
  cpuMs: 'cpu_ms',
  wallMs: 'wall_ms',
  turns: 'turns',
  hostCalls: 'host_calls',
  inputBytes: 'input_bytes',
  outputBytes: 'output_bytes',
  executions: 'executions',
} as const satisfies Record<Exclude<keyof UsageSum, 'installationId'>, string>;

const names = Object.values(COLUMNS);

const ADD = `
  INSERT INTO usage AS used (installation_id, hour, ${names.join(', ')})
  SELECT installation_id, date_trunc('hour', CAST(:at AS timestamptz), 'UTC'), ${names.join(', ')}
  FROM json_to_recordset(:sums) AS added (installation_id uuid, ${names.map((name) => `${name} float8`).join(', ')})
  WHERE EXISTS (SELECT 1 FROM installations WHERE installations.id = added.installation_id)
  ON CONFLICT (installation_id, hour) DO UPDATE SET
    ${names.map((name) => `${name} = used.${name} + excluded.${name}`).join(', ')}`;

/** Hourly sums per installation: the basis of metered prices. */
export function usageStore(database: Knex): UsageStore {
  return {
    add: async (sums, atMs) => {
      const rows = sums.map(({ installationId, ...sum }) => ({
        installation_id: installationId,
        ...Object.fromEntries(
          Object.entries(sum).map(([name, value]) => [COLUMNS[name as keyof typeof COLUMNS], value]),
        ),
      }));
      await database.raw(ADD, { at: new Date(atMs).toISOString(), sums: JSON.stringify(rows) });
    },
  };
}
