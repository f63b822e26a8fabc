import { KV_ENTRIES_MAX } from '../../plugins-sdk/contract/index.ts';
import { CapabilityError } from './capability-error.ts';
import type { KvStore, StoredEntry } from './kv-store.contract.ts';

type Entry = StoredEntry & { expiresAtMs: number };

/** Entries of `gate dev` and of the test harness: gone with the process, otherwise the same as in PostgreSQL. */
export function memoryKvStore(nowMs: () => number): KvStore & { entries(installationId: string): StoredEntry[] } {
  const installations = new Map<string, Map<string, Entry>>();

  const entriesOf = (installationId: string) => {
    const entries = installations.get(installationId) ?? new Map<string, Entry>();
    installations.set(installationId, entries);
    return entries;
  };
  const live = (installationId: string, key: string) => {
    const entry = entriesOf(installationId).get(key);
    if (entry && entry.expiresAtMs > nowMs()) return entry;
    entriesOf(installationId).delete(key);
    return null;
  };
  const expect = (entry: Entry | null, ifVersion: number | undefined) => {
    if (ifVersion !== undefined && (entry?.version ?? 0) !== ifVersion)
      throw new CapabilityError('kv-version-conflict');
  };
  const put = (installationId: string, { key, json }: { key: string; json: string }, expiresAtMs: number) => {
    const entries = entriesOf(installationId);
    const version = (live(installationId, key)?.version ?? 0) + 1;
    if (version === 1 && entries.size >= KV_ENTRIES_MAX) throw new CapabilityError('kv-quota-exceeded');
    entries.set(key, { key, json, version, expiresAtMs });
    return { version };
  };
  const sorted = (installationId: string) =>
    [...entriesOf(installationId).keys()]
      .filter((key) => live(installationId, key))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map((key) => live(installationId, key)!);

  return {
    get: async (installationId, key) => live(installationId, key),
    set: async (installationId, { key, json, ttlSeconds, ifVersion }) => {
      expect(live(installationId, key), ifVersion);
      const expiresAtMs = ttlSeconds === undefined ? Number.POSITIVE_INFINITY : nowMs() + ttlSeconds * 1_000;
      return put(installationId, { key, json }, expiresAtMs);
    },
    delete: async (installationId, key, ifVersion) => {
      const entry = live(installationId, key);
      expect(entry, ifVersion);
      entriesOf(installationId).delete(key);
      return { deleted: entry !== null };
    },
    list: async (installationId, { prefix, afterKey, limit }) => {
      const after = Buffer.from(afterKey);
      return sorted(installationId)
        .filter(({ key }) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), after) > 0)
        .slice(0, limit);
    },
    increment: async (installationId, key, by) => {
      const entry = live(installationId, key);
      const value = Number(entry ? JSON.parse(entry.json) : 0) + by;
      if ((entry && !/^-?\d+$/.test(entry.json)) || !Number.isSafeInteger(value)) throw notAnInteger(key);
      put(installationId, { key, json: String(value) }, entry?.expiresAtMs ?? Number.POSITIVE_INFINITY);
      return { value };
    },
    entries: sorted,
  };
}

export const notAnInteger = (key: string): CapabilityError =>
  new CapabilityError(
    'capability-arguments-invalid',
    `kv.increment: the entry "${key}" is not an integer, or would leave the range of safe integers.`,
  );
