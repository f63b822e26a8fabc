import type { Knex } from 'knex';
import { KV_ENTRIES_MAX, KV_OPERATIONS_MAX, type KvOperationResult } from '../../plugins-sdk/contract/index.ts';
import type { CallKey } from './call-key.ts';
import { recordCall } from './call-results-store.ts';
import { CapabilityError } from './capability-error.ts';
import { refusedOperations } from './kv-refusals.ts';
import { applyOperations, keyOf, type OperableEntry, type StoredOperation } from './rules/kv-operations.ts';

/**
 * Locks the entries of `keys` in one order, so that no two transactions wait for each other. A key that is absent is locked as
 * well, by a row that counts as expired: nobody can add it before this transaction ends. Of a value only `increment` needs to know
 * whether it is an integer, which has 17 characters at most.
 */
const LOCK = `
  INSERT INTO kv_entries AS held (installation_id, key, value, version, expires_at)
  SELECT CAST(:installationId AS uuid), key, 'null', 0, '-infinity' FROM unnest(CAST(:keys AS text[])) AS key ORDER BY key COLLATE "C"
  ON CONFLICT (installation_id, key) DO UPDATE SET version = held.version
  RETURNING key, left(value, 18) AS value_head, version, extract(epoch FROM now()) * 1000 AS now_ms,
    CASE WHEN isfinite(expires_at) THEN extract(epoch FROM expires_at) * 1000 END AS expires_at_ms,
    expires_at IS NULL OR expires_at > now() AS live`;

const WRITE = `
  UPDATE kv_entries AS entry SET value = changed.value, version = changed.version, expires_at = to_timestamp(changed.expires_at_ms / 1000)
  FROM json_to_recordset(CAST(:entries AS json)) AS changed (key text, value text, version bigint, expires_at_ms float8)
  WHERE entry.installation_id = CAST(:installationId AS uuid) AND entry.key = changed.key`;

interface LockedRow {
  key: string;
  value_head: string;
  version: string;
  now_ms: string;
  expires_at_ms: string | null;
  live: boolean;
}

/** Does operations on the entries of one installation: all of them, durably, or none. See KvStore. */
export const kvTransaction = (
  database: Knex,
  installationId: string,
  operations: readonly StoredOperation[],
  callKey?: CallKey,
): Promise<KvOperationResult[]> =>
  database.transaction(async (transaction) => {
    const keys = [...new Set(operations.map(keyOf))];
    const { rows } = await transaction.raw<{ rows: LockedRow[] }>(LOCK, { installationId, keys });
    const entries = new Map(rows.map((row) => [row.key, row.live ? toEntry(row) : null]));
    const outcome = applyOperations(entries, operations, Number(rows[0]!.now_ms));
    if (!outcome.ok) throw refusedOperations(outcome);
    const final = new Map([...entries, ...outcome.changes]);
    const grows = keys.some((key) => entries.get(key) === null && final.get(key) !== null);
    const gone = keys.filter((key) => final.get(key) === null);
    if (grows) await requireRoom(transaction, installationId, gone.length);
    const changed = [...outcome.changes].flatMap(([key, entry]) =>
      entry === null ? [] : [{ key, value: entry.json, version: entry.version, expires_at_ms: entry.expiresAtMs }],
    );
    if (changed.length > 0) await transaction.raw(WRITE, { installationId, entries: JSON.stringify(changed) });
    if (gone.length > 0)
      await transaction('kv_entries').where({ installation_id: installationId }).whereIn('key', gone).delete();
    await recordCall(transaction, callKey, outcome.results);
    return outcome.results;
  });

const toEntry = (row: LockedRow): OperableEntry => ({
  json: row.value_head,
  version: Number(row.version),
  expiresAtMs: row.expires_at_ms === null ? null : Number(row.expires_at_ms),
});

/** The rows that hold the keys are there already; `gone` of them will not stay. */
async function requireRoom(transaction: Knex, installationId: string, gone: number): Promise<void> {
  const { rows } = await transaction.raw<{ rows: { entries: string }[] }>(
    `SELECT count(*) AS entries FROM
       (SELECT 1 FROM kv_entries WHERE installation_id = :installationId LIMIT ${KV_ENTRIES_MAX + KV_OPERATIONS_MAX + 1}) AS counted`,
    { installationId },
  );
  if (Number(rows[0]!.entries) - gone > KV_ENTRIES_MAX) throw new CapabilityError('kv-quota-exceeded');
}
