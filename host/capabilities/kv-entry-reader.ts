import type { Knex } from 'knex';
import { isDatabaseOutage } from '../http/outages.ts';
import { preparedStatement } from '../prepared-statement.ts';
import type { StoredEntry } from './kv-store.contract.ts';

/** An expired entry counts as absent everywhere; a write over it starts at version 1 again. */
export const LIVE = '(kv_entries.expires_at IS NULL OR kv_entries.expires_at > now())';

/** A value may have 256 kB: this bounds what one answer of the server holds. */
const READS_MAX = 16;

/** LATERAL with LIMIT: one look into the index for each, however many rows the planner believes there to be. */
const READ = `
  SELECT wanted.at::integer AS at, entry.key, entry.value, entry.version
  FROM unnest(CAST(:installationIds AS uuid[]), CAST(:keys AS text[])) WITH ORDINALITY AS wanted (installation_id, key, at),
  LATERAL (
    SELECT kv_entries.key, kv_entries.value, kv_entries.version FROM kv_entries
    WHERE kv_entries.installation_id = wanted.installation_id AND kv_entries.key = wanted.key AND ${LIVE} LIMIT 1
  ) AS entry`;

interface ReadRow {
  at: number;
  key: string;
  value: string;
  version: string;
}

interface Waiting {
  installationId: string;
  key: string;
  resolve(entry: StoredEntry | null): void;
  reject(error: unknown): void;
}

/**
 * Reads one entry, as it is after the call began. What is asked for in one tick is read by one statement, whoever asks: a round
 * trip to the database costs far more than a row. Nothing is kept, and nobody waits for somebody else's statement.
 */
export function kvEntryReader(database: Knex): (installationId: string, key: string) => Promise<StoredEntry | null> {
  const select = preparedStatement<ReadRow>(database, 'kv-read', READ);
  let waiting: Waiting[] = [];

  const read = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const rows = await select({
        installationIds: batch.map(({ installationId }) => installationId),
        keys: batch.map(({ key }) => key),
      });
      const found = new Map(rows.map((row) => [row.at, row]));
      for (const [at, { resolve }] of batch.entries()) {
        const row = found.get(at + 1);
        resolve(row ? { key: row.key, json: row.value, version: Number(row.version) } : null);
      }
    } catch (error) {
      // What one of them asks for must not fail the others.
      if (batch.length > 1 && !isDatabaseOutage(error)) await Promise.all(batch.map((each) => read([each])));
      else for (const { reject } of batch) reject(error);
    }
  };
  const flush = () => {
    const batch = waiting;
    waiting = [];
    if (batch.length > 0) void read(batch);
  };

  return (installationId, key) =>
    new Promise((resolve, reject) => {
      waiting.push({ installationId, key, resolve, reject });
      if (waiting.length === 1) setImmediate(flush);
      else if (waiting.length === READS_MAX) flush();
    });
}
