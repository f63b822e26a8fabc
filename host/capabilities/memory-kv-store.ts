import { KV_ENTRIES_MAX, KV_READ_BYTES_MAX, type KvOperationResult } from '../../plugins-sdk/contract/index.ts';
import type { CallKey } from './call-key.ts';
import { CapabilityError } from './capability-error.ts';
import { notAnInteger, readTooLarge, refusedOperations } from './kv-refusals.ts';
import type { KvStore, StoredEntry } from './kv-store.contract.ts';
import { applyOperations, keyOf, type OperableEntry, type StoredOperation } from './rules/kv-operations.ts';

type Entries = Map<string, OperableEntry>;

/** Entries of `gate dev` and of the test harness: gone with the process, otherwise the same as in PostgreSQL. */
export function memoryKvStore(nowMs: () => number): KvStore & { entries(installationId: string): StoredEntry[] } {
  const installations = new Map<string, Entries>();
  const calls = new Map<string, { key: CallKey; result: unknown }>();

  const entriesOf = (installationId: string): Entries => {
    const entries = installations.get(installationId) ?? new Map();
    installations.set(installationId, entries);
    return entries;
  };
  const live = (installationId: string, key: string): OperableEntry | null => {
    const entry = entriesOf(installationId).get(key);
    if (entry && (entry.expiresAtMs === null || entry.expiresAtMs > nowMs())) return entry;
    entriesOf(installationId).delete(key);
    return null;
  };
  const stored = (installationId: string, key: string): StoredEntry | null => {
    const entry = live(installationId, key);
    return entry && { key, json: entry.json, version: entry.version };
  };
  const sorted = (installationId: string): StoredEntry[] =>
    [...entriesOf(installationId).keys()]
      .filter((key) => live(installationId, key))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map((key) => stored(installationId, key)!);

  /** All of the operations or none, as the transaction in PostgreSQL does them. */
  const operate = (installationId: string, operations: readonly StoredOperation[]): KvOperationResult[] => {
    const entries = entriesOf(installationId);
    const now = new Map(operations.map(keyOf).map((key) => [key, live(installationId, key)]));
    const outcome = applyOperations(now, operations, nowMs());
    if (!outcome.ok) throw refusedOperations(outcome);
    const changes = [...outcome.changes];
    const added = changes.filter(([key, entry]) => entry !== null && now.get(key) === null).length;
    const removed = changes.filter(([key, entry]) => entry === null && now.get(key) !== null).length;
    if (added > 0 && entries.size + added - removed > KV_ENTRIES_MAX) throw new CapabilityError('kv-quota-exceeded');
    for (const [key, entry] of changes) {
      if (entry === null) entries.delete(key);
      else entries.set(key, entry);
    }
    return outcome.results;
  };
  /** One operation with what it demands of the entry; its author did not number operations, so its refusal does not either. */
  const operateOne = (installationId: string, operation: StoredOperation, ifVersion?: number): KvOperationResult => {
    const demands = ifVersion === undefined ? [] : [{ check: keyOf(operation), version: ifVersion }];
    try {
      return operate(installationId, [...demands, operation]).at(-1)!;
    } catch (error) {
      const conflict = error instanceof CapabilityError && error.code === 'kv-version-conflict';
      throw conflict ? new CapabilityError('kv-version-conflict') : error;
    }
  };
  /** A call that was made before gets its result again. */
  const once = async <Result>(key: CallKey | undefined, work: () => Result): Promise<Result> => {
    if (key === undefined) return work();
    const name = `${key.invocationId} ${key.callSeq}`;
    const made = calls.get(name);
    if (made?.key.argsSha256 === key.argsSha256) return made.result as Result;
    const result = work();
    for (const [each, { key: old }] of calls) if (old.keepUntilMs <= nowMs()) calls.delete(each);
    calls.set(name, { key, result });
    return result;
  };

  return {
    get: async (installationId, key) => stored(installationId, key),
    getMany: async (installationId, keys) => {
      const entries = keys.map((key) => stored(installationId, key));
      const bytes = entries.reduce((sum, entry) => sum + (entry === null ? 0 : Buffer.byteLength(entry.json)), 0);
      if (bytes > KV_READ_BYTES_MAX) throw readTooLarge(keys.length, bytes);
      return entries;
    },
    set: (installationId, { ifVersion, key, json, ttlSeconds }, callKey) =>
      once(callKey, () => operateOne(installationId, { set: key, json, ttlSeconds }, ifVersion) as { version: number }),
    delete: (installationId, key, ifVersion, callKey) =>
      once(callKey, () => operateOne(installationId, { delete: key }, ifVersion) as { deleted: boolean }),
    list: async (installationId, { prefix, afterKey, limit }) => {
      const after = Buffer.from(afterKey);
      let bytes = 0;
      return sorted(installationId)
        .filter(({ key }) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), after) > 0)
        .slice(0, limit)
        .filter(({ json }) => {
          const before = bytes;
          bytes += Buffer.byteLength(json);
          return before <= KV_READ_BYTES_MAX;
        });
    },
    increment: (installationId, key, by, callKey) =>
      once(callKey, () => {
        if (!Number.isSafeInteger(by)) throw notAnInteger(key);
        return operate(installationId, [{ increment: key, by }])[0] as { value: number };
      }),
    transaction: (installationId, operations, callKey) => once(callKey, () => operate(installationId, operations)),
    entries: sorted,
  };
}
