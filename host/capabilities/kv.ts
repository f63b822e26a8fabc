import { KV_READ_BYTES_MAX, KV_VALUE_BYTES_MAX, type KvOperation } from '../../plugins-sdk/contract/index.ts';
import type { CapabilityCalls } from './broker.ts';
import { callKey } from './call-key.ts';
import type { CapabilityContext } from './call-scope.ts';
import { CapabilityError } from './capability-error.ts';
import { JsonText } from './json-text.ts';
import type { KvStore, StoredEntry } from './kv-store.contract.ts';
import { kvReadCostMs } from './rules/kv-cost.ts';
import type { StoredOperation } from './rules/kv-operations.ts';

type KvCallName = 'get' | 'set' | 'delete' | 'list' | 'increment' | 'getMany' | 'transaction';
type KvCalls = Pick<CapabilityCalls, `kv.${KvCallName}`>;

/**
 * The capability `kv`: JSON values of one installation, with versions for compare-and-set and an optional time to live. What
 * would not have the same effect twice is done once for each call, whoever makes it again. What is read is billed by its size.
 */
export function kvCalls(store: KvStore): KvCalls {
  return {
    'kv.get': async (context, { key }: { key: string }) => {
      const entry = await store.get(context.installation.id, key);
      return entry && billed(context, textOf(entry));
    },
    'kv.getMany': async (context, { keys }: { keys: string[] }) => {
      const entries = await store.getMany(context.installation.id, keys);
      return billed(context, `[${entries.map((entry) => (entry === null ? 'null' : textOf(entry))).join()}]`);
    },
    'kv.set': async (context, args: { key: string; value: unknown; ttlSeconds?: number; ifVersion?: number }) => {
      const { value, ...entry } = args;
      const key = entry.ifVersion === undefined ? undefined : callKey(context, 'kv.set', args);
      return { version: (await store.set(context.installation.id, { ...entry, json: valueJson(value) }, key)).version };
    },
    'kv.delete': async (context, args: { key: string; ifVersion?: number }) => {
      const key = args.ifVersion === undefined ? undefined : callKey(context, 'kv.delete', args);
      const { deleted } = await store.delete(context.installation.id, args.key, args.ifVersion, key);
      return { deleted };
    },
    'kv.list': async (context, args: { prefix?: string; cursor?: string; limit?: number }) => {
      const { prefix = '', cursor, limit = 100 } = args;
      const afterKey = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString('utf8');
      const found = await store.list(context.installation.id, { prefix, afterKey, limit: limit + 1 });
      const page = withinBytes(found.slice(0, limit));
      const last = page.at(-1);
      const next = last && page.length < found.length ? `"${Buffer.from(last.key).toString('base64url')}"` : 'null';
      return billed(context, `{"entries":[${page.map(textOf).join()}],"cursor":${next}}`);
    },
    'kv.increment': async (context, args: { key: string; by?: number }) => {
      const { key, by = 1 } = args;
      const { value } = await store.increment(context.installation.id, key, by, callKey(context, 'kv.increment', args));
      return { value };
    },
    'kv.transaction': async (context, args: { operations: KvOperation[] }) => {
      const operations = args.operations.map(toStored);
      const key = callKey(context, 'kv.transaction', args);
      return { results: await store.transaction(context.installation.id, operations, key) };
    },
  };
}

function toStored(operation: KvOperation): StoredOperation {
  if (!('set' in operation)) return operation;
  const { value, ...rest } = operation;
  return { ...rest, json: valueJson(value) };
}

function valueJson(value: unknown): string {
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= KV_VALUE_BYTES_MAX) return json;
  throw new CapabilityError(
    'kv-value-too-large',
    `The value has ${bytes} bytes of JSON; one entry may have ${KV_VALUE_BYTES_MAX}.`,
  );
}

function billed(context: CapabilityContext, text: string): JsonText {
  context.bill(kvReadCostMs(Buffer.byteLength(text)));
  return new JsonText(text);
}

/** A KvEntry as JSON: the value is in it as it is stored. */
const textOf = ({ key, json, version }: StoredEntry): string =>
  `{"key":${JSON.stringify(key)},"value":${json},"version":${version}}`;

/** At least one entry, else a page could never be read past a large one. */
function withinBytes(entries: StoredEntry[]): StoredEntry[] {
  let bytes = 0;
  const end = entries.findIndex(({ json }, at) => {
    bytes += Buffer.byteLength(json);
    return at > 0 && bytes > KV_READ_BYTES_MAX;
  });
  return end < 0 ? entries : entries.slice(0, end);
}
