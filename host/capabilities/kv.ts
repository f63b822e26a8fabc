import { type Json, KV_VALUE_BYTES_MAX } from '../../plugins-sdk/contract/index.ts';
import type { CapabilityCalls } from './broker.ts';
import { CapabilityError } from './capability-error.ts';
import type { KvStore, StoredEntry } from './kv-store.contract.ts';

type KvCalls = Pick<CapabilityCalls, 'kv.get' | 'kv.set' | 'kv.delete' | 'kv.list' | 'kv.increment'>;

/** One page of `kv.list` stops growing here, so that a page always fits into an isolate. */
const PAGE_BYTES_MAX = 1024 * 1024;

/** The capability `kv`: JSON values of one installation, with versions for compare-and-set and an optional time to live. */
export function kvCalls(store: KvStore): KvCalls {
  return {
    'kv.get': async ({ installation }, { key }: { key: string }) => {
      const entry = await store.get(installation.id, key);
      return entry && entryValue(entry);
    },
    'kv.set': async (
      { installation },
      args: { key: string; value: unknown; ttlSeconds?: number; ifVersion?: number },
    ) => {
      const { value, ...entry } = args;
      const json = JSON.stringify(value);
      const bytes = Buffer.byteLength(json);
      if (bytes > KV_VALUE_BYTES_MAX) {
        throw new CapabilityError(
          'kv-value-too-large',
          `The value has ${bytes} bytes of JSON; one entry may have ${KV_VALUE_BYTES_MAX}.`,
        );
      }
      return { version: (await store.set(installation.id, { ...entry, json })).version };
    },
    'kv.delete': async ({ installation }, { key, ifVersion }: { key: string; ifVersion?: number }) => {
      const { deleted } = await store.delete(installation.id, key, ifVersion);
      return { deleted };
    },
    'kv.list': async ({ installation }, args: { prefix?: string; cursor?: string; limit?: number }) => {
      const { prefix = '', cursor, limit = 100 } = args;
      const afterKey = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
      const found = await store.list(installation.id, { prefix, afterKey, limit: limit + 1 });
      const page = withinBytes(found.slice(0, limit));
      const last = page.at(-1);
      return {
        entries: page.map(entryValue),
        cursor: last && page.length < found.length ? Buffer.from(last.key).toString('base64url') : null,
      };
    },
    'kv.increment': async ({ installation }, { key, by = 1 }: { key: string; by?: number }) => {
      const { value } = await store.increment(installation.id, key, by);
      return { value };
    },
  };
}

const entryValue = ({ key, json, version }: StoredEntry): Json => ({ key, value: JSON.parse(json), version });

/** At least one entry, else a page could never be read past a large one. */
function withinBytes(entries: StoredEntry[]): StoredEntry[] {
  let bytes = 0;
  const end = entries.findIndex(({ json }, at) => {
    bytes += json.length;
    return at > 0 && bytes > PAGE_BYTES_MAX;
  });
  return end < 0 ? entries : entries.slice(0, end);
}
