import type { Knex } from 'knex';
import { KV_ENTRIES_MAX, KV_READ_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import { preparedStatement } from '../prepared-statement.ts';
import type { CallKey } from './call-key.ts';
import { keyBindings, onceFor, recording, sweepCallResults } from './call-results-store.ts';
import { CapabilityError } from './capability-error.ts';
import { kvEntryReader, LIVE } from './kv-entry-reader.ts';
import { kvOverwriter } from './kv-overwriter.ts';
import { notAnInteger, readTooLarge } from './kv-refusals.ts';
import type { EntryToStore, KvStore, StoredEntry } from './kv-store.contract.ts';
import { kvTransaction } from './kv-transaction-store.ts';

/** Room for one more entry, counted only when one is to be added. */
const BELOW_QUOTA = `(SELECT count(*) FROM (SELECT 1 FROM kv_entries WHERE installation_id = :installationId LIMIT ${KV_ENTRIES_MAX}) AS counted) < ${KV_ENTRIES_MAX}`;

const UPDATE = `
  WITH effect AS (UPDATE kv_entries SET value = :json, version = version + 1, expires_at = now() + make_interval(secs => CAST(:ttlSeconds AS float8))
  WHERE installation_id = :installationId AND key = :key AND ${LIVE}
    AND (CAST(:ifVersion AS bigint) IS NULL OR version = CAST(:ifVersion AS bigint))
  RETURNING version), ${recording('effect', `'{"version":' || version || '}'`)} SELECT version FROM effect`;

/** Conflicts where somebody added the key since the UPDATE above, or where the key is there but expired. */
const INSERT = `
  WITH effect AS (INSERT INTO kv_entries (installation_id, key, value, version, expires_at)
  SELECT :installationId, :key, :json, 1, now() + make_interval(secs => CAST(:ttlSeconds AS float8)) WHERE ${BELOW_QUOTA}
  ON CONFLICT (installation_id, key) DO UPDATE
    SET value = excluded.value, expires_at = excluded.expires_at,
        version = CASE WHEN ${LIVE} THEN kv_entries.version + 1 ELSE 1 END
    WHERE CAST(:ifVersion AS bigint) IS NULL OR NOT ${LIVE}
  RETURNING version), ${recording('effect', `'{"version":' || version || '}'`)} SELECT version FROM effect`;

const INCREMENT = `
  WITH effect AS (INSERT INTO kv_entries (installation_id, key, value, version)
  SELECT :installationId, :key, CAST(CAST(:by AS bigint) AS text), 1 WHERE ${BELOW_QUOTA} OR EXISTS
    (SELECT 1 FROM kv_entries WHERE installation_id = :installationId AND key = :key)
  ON CONFLICT (installation_id, key) DO UPDATE
    SET value = CASE WHEN ${LIVE} THEN (kv_entries.value::bigint + CAST(:by AS bigint))::text ELSE excluded.value END,
        version = CASE WHEN ${LIVE} THEN kv_entries.version + 1 ELSE 1 END,
        expires_at = CASE WHEN ${LIVE} THEN kv_entries.expires_at END
    WHERE NOT ${LIVE} OR kv_entries.value ~ '^[-]{0,1}[0-9]{1,16}$'
      AND abs(kv_entries.value::numeric + CAST(:by AS bigint)) <= ${Number.MAX_SAFE_INTEGER}
  RETURNING value), ${recording('effect', `'{"value":' || value || '}'`)} SELECT value FROM effect`;

const DELETE = `
  WITH effect AS (DELETE FROM kv_entries WHERE installation_id = :installationId AND key = :key AND ${LIVE}
    AND (CAST(:ifVersion AS bigint) IS NULL OR version = CAST(:ifVersion AS bigint)) RETURNING key),
  ${recording('effect', `'{"deleted":true}'`)} SELECT key FROM effect`;

/** octet_length() knows the length of a large value without reading it: no value is read before all of them are known to be few enough. */
const READ_MANY = `
  SELECT at::integer AS at, key, version, bytes, CASE WHEN bytes <= ${KV_READ_BYTES_MAX} THEN value END AS value FROM (
    SELECT wanted.at, entry.key, entry.value, entry.version, sum(octet_length(entry.value)) OVER () AS bytes
    FROM unnest(CAST(:keys AS text[])) WITH ORDINALITY AS wanted (key, at),
    LATERAL (
      SELECT kv_entries.key, kv_entries.value, kv_entries.version FROM kv_entries
      WHERE kv_entries.installation_id = :installationId AND kv_entries.key = wanted.key AND ${LIVE} LIMIT 1
    ) AS entry) AS found`;

/** A thousand entries may have 256 MiB: what comes behind a full page is left unread. */
const LIST = `
  SELECT key, value, version FROM (
    SELECT key, value, version,
      sum(octet_length(value)) OVER (ORDER BY key ROWS UNBOUNDED PRECEDING) - octet_length(value) AS before
    FROM (
      SELECT key, value, version FROM kv_entries
      WHERE installation_id = :installationId AND ${LIVE} AND key > :afterKey AND key >= :prefix AND starts_with(key, :prefix)
      ORDER BY key LIMIT :limit
    ) AS range) AS page
  WHERE before <= ${KV_READ_BYTES_MAX} ORDER BY key`;

/** Skips what a transaction holds: it counts as expired because its key is absent. */
const SWEEP = `
  DELETE FROM kv_entries WHERE ctid IN (SELECT ctid FROM kv_entries WHERE expires_at <= now() FOR UPDATE SKIP LOCKED)
  AND expires_at <= now()`;

interface Row {
  key: string;
  value: string;
  version: string;
}

interface ManyRow extends Row {
  at: number;
  /** Of all that was found. */
  bytes: string;
}

/** Entries in PostgreSQL. Every statement is atomic and durable by itself. */
export function kvStore(database: Knex): KvStore & { sweepExpired(): Promise<void> } {
  const find = kvEntryReader(database);
  const updatedBy = preparedStatement<Pick<Row, 'version'>>(database, 'kv-update', UPDATE);
  const insertedBy = preparedStatement<Pick<Row, 'version'>>(database, 'kv-insert', INSERT);
  const deletedBy = preparedStatement<Pick<Row, 'key'>>(database, 'kv-delete', DELETE);
  const incrementedBy = preparedStatement<Pick<Row, 'value'>>(database, 'kv-increment', INCREMENT);
  const readMany = preparedStatement<ManyRow>(database, 'kv-read-many', READ_MANY);
  const listed = preparedStatement<Row>(database, 'kv-list', LIST);

  const set = async (installationId: string, entry: EntryToStore, callKey?: CallKey) => {
    const { key, ifVersion } = entry;
    const bindings = { ...entry, ...keyBindings(callKey), installationId };
    const [updated] = ifVersion === 0 ? [] : await updatedBy(bindings);
    if (updated) return { version: Number(updated.version) };
    if (!ifVersion) {
      const [inserted] = await insertedBy(bindings);
      if (inserted) return { version: Number(inserted.version) };
    }
    if (ifVersion) throw new CapabilityError('kv-version-conflict');
    throw new CapabilityError((await find(installationId, key)) ? 'kv-version-conflict' : 'kv-quota-exceeded');
  };
  const overwrite = kvOverwriter(database, set);
  const remove = async (installationId: string, key: string, ifVersion?: number, callKey?: CallKey) => {
    const bindings = { installationId, key, ifVersion, ...keyBindings(callKey) };
    if ((await deletedBy(bindings)).length > 0) return { deleted: true };
    if (ifVersion) throw new CapabilityError('kv-version-conflict');
    return { deleted: false };
  };
  const increment = async (installationId: string, key: string, by: number, callKey?: CallKey) => {
    if (!Number.isSafeInteger(by)) throw notAnInteger(key);
    const [row] = await incrementedBy({ installationId, key, by, ...keyBindings(callKey) });
    if (row) return { value: Number(row.value) };
    throw (await find(installationId, key)) ? notAnInteger(key) : new CapabilityError('kv-quota-exceeded');
  };

  return {
    get: find,
    getMany: async (installationId, keys) => {
      const rows = await readMany({ installationId, keys });
      const bytes = Number(rows[0]?.bytes ?? 0);
      if (bytes > KV_READ_BYTES_MAX) throw readTooLarge(keys.length, bytes);
      const found = new Map(rows.map((row) => [row.at, fromRow(row)]));
      return keys.map((_, at) => found.get(at + 1) ?? null);
    },
    set: (id, entry, callKey) =>
      callKey === undefined && entry.ifVersion === undefined
        ? overwrite(id, entry)
        : onceFor(database, callKey, () => set(id, entry, callKey)),
    delete: (id, key, ifVersion, callKey) => onceFor(database, callKey, () => remove(id, key, ifVersion, callKey)),
    increment: (id, key, by, callKey) => onceFor(database, callKey, () => increment(id, key, by, callKey)),
    transaction: (id, operations, callKey) =>
      onceFor(database, callKey, () => kvTransaction(database, id, operations, callKey)),
    list: async (installationId, { prefix, afterKey, limit }) => {
      const rows = await listed({ installationId, prefix, afterKey, limit });
      return rows.map(fromRow);
    },
    sweepExpired: async () => {
      await database.raw(SWEEP);
      await sweepCallResults(database);
    },
  };
}

const fromRow = (row: Row): StoredEntry => ({ key: row.key, json: row.value, version: Number(row.version) });
