import type { Knex } from 'knex';
import { preparedStatement } from '../prepared-statement.ts';
import { LIVE } from './kv-entry-reader.ts';
import type { EntryToStore } from './kv-store.contract.ts';

/** Stands for `count` writes one right after the other, of which only the last is seen. */
const OVERWRITE = `
  UPDATE kv_entries SET value = :json, version = version + CAST(:count AS bigint),
    expires_at = now() + make_interval(secs => CAST(:ttlSeconds AS float8))
  WHERE installation_id = :installationId AND key = :key AND ${LIVE} RETURNING version`;

interface Write {
  entry: EntryToStore;
  resolve(result: { version: number }): void;
  reject(error: unknown): void;
}

type WriteEntry = (installationId: string, entry: EntryToStore) => Promise<{ version: number }>;

/**
 * Writes entries over whatever is there: what is neither bound to a version nor recorded. One key is written by one statement at
 * a time; those that come meanwhile wait and are written together by the next one, each with a version of its own. Side by side
 * they would wait for each other's lock on the row, each with a connection of the pool that everybody needs. `insert` writes where
 * there is no entry yet.
 */
export function kvOverwriter(database: Knex, insert: WriteEntry): WriteEntry {
  const overwrite = preparedStatement<{ version: string }>(database, 'kv-overwrite', OVERWRITE);
  /** By key, while it is written: those who wait. */
  const waiting = new Map<string, Write[]>();

  const write = async (installationId: string, writes: readonly Write[]): Promise<void> => {
    const [first, ...others] = writes;
    const { key, json, ttlSeconds } = writes.at(-1)!.entry;
    try {
      const [row] = await overwrite({ installationId, key, json, ttlSeconds, count: writes.length });
      if (row) {
        const before = Number(row.version) - writes.length;
        for (const [at, { resolve }] of writes.entries()) resolve({ version: before + at + 1 });
        return;
      }
      first!.resolve(await insert(installationId, first!.entry));
    } catch (error) {
      // All are of one installation and one key: what one of them is refused, the others are as well.
      for (const { reject } of writes) reject(error);
      return;
    }
    if (others.length > 0) await write(installationId, others);
  };

  const writeAll = async (place: string, installationId: string, first: Write): Promise<void> => {
    for (let writes = [first]; writes.length > 0; ) {
      const next: Write[] = [];
      waiting.set(place, next);
      await write(installationId, writes);
      writes = next;
    }
    waiting.delete(place);
  };

  return (installationId, entry) =>
    new Promise((resolve, reject) => {
      const place = `${installationId} ${entry.key}`;
      const line = waiting.get(place);
      if (line) line.push({ entry, resolve, reject });
      else void writeAll(place, installationId, { entry, resolve, reject });
    });
}
