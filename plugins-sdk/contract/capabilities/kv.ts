import { type TSchema, Type } from 'typebox';
import type { Json } from '../json.ts';
import type { Capability } from './contract.ts';
import { REFUSALS } from './refusals.ts';
import { KV_KEY_UNITS_MAX, KV_KEYS_MAX, KV_OPERATIONS_MAX } from './sizes.ts';

const Key = Type.String({ minLength: 1, maxLength: KV_KEY_UNITS_MAX, pattern: '^[^\\u0000-\\u001f]+$' });
const TtlSeconds = Type.Integer({ minimum: 1, maximum: 366 * 86_400 });
const strict = (properties: Record<string, TSchema>) => Type.Object(properties, { additionalProperties: false });

export const kv = {
  purpose: 'Store and read its own data for this installation.',
  calls: {
    'kv.get': strict({ key: Key }),
    'kv.set': strict({
      key: Key,
      value: Type.Unknown(),
      ttlSeconds: Type.Optional(TtlSeconds),
      ifVersion: Type.Optional(Type.Integer({ minimum: 0, description: '0 means: only if the key is absent.' })),
    }),
    'kv.delete': strict({ key: Key, ifVersion: Type.Optional(Type.Integer({ minimum: 1 })) }),
    'kv.list': strict({
      prefix: Type.Optional(Type.String({ maxLength: 512 })),
      cursor: Type.Optional(Type.String({ maxLength: 1_024 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
    }),
    'kv.increment': strict({ key: Key, by: Type.Optional(Type.Integer()) }),
    'kv.getMany': strict({ keys: Type.Array(Key, { maxItems: KV_KEYS_MAX }) }),
    'kv.transaction': strict({
      operations: Type.Array(
        Type.Union([
          strict({ check: Key, version: Type.Integer({ minimum: 0, description: '0 means: the key is absent.' }) }),
          strict({ set: Key, value: Type.Unknown(), ttlSeconds: Type.Optional(TtlSeconds) }),
          strict({ delete: Key }),
          strict({ increment: Key, by: Type.Optional(Type.Integer()) }),
        ]),
        { minItems: 1, maxItems: KV_OPERATIONS_MAX },
      ),
    }),
  },
  refusals: REFUSALS.kv,
} as const satisfies Capability;

/** One stored entry. `version` counts its changes, starting at 1. */
export interface KvEntry<Value = Json> {
  key: string;
  value: Value;
  version: number;
}

/** One step of a transaction, on the entry that its first field names. `check` demands a version, 0 for an absent entry. */
export type KvOperation =
  | { check: string; version: number }
  | { set: string; value: unknown; ttlSeconds?: number }
  | { delete: string }
  | { increment: string; by?: number };

/** What an operation leads to: the version that was checked or written, whether there was an entry, the new number. */
export type KvOperationResult = { version: number } | { deleted: boolean } | { value: number };

/** Key-value storage of one installation. Durable when the promise resolves. */
export interface Kv {
  get<Value = Json>(key: string): Promise<KvEntry<Value> | null>;
  /**
   * Refuses with: kv-version-conflict, kv-value-too-large, kv-quota-exceeded.
   * `ifVersion: 0` writes only where no entry is; `ifVersion: n` only over version n.
   */
  set(key: string, value: unknown, options?: { ttlSeconds?: number; ifVersion?: number }): Promise<{ version: number }>;
  /** Resolves with whether there was an entry. Refuses with: kv-version-conflict. */
  delete(key: string, options?: { ifVersion?: number }): Promise<{ deleted: boolean }>;
  /** In order of keys (by code point); pass `cursor` on to read the next page. */
  list<Value = Json>(options?: {
    prefix?: string;
    cursor?: string;
    limit?: number;
  }): Promise<{
    entries: KvEntry<Value>[];
    cursor: string | null;
  }>;
  /** Adds `by` (default 1) to a number, which starts at 0; atomic. */
  increment(key: string, by?: number): Promise<{ value: number }>;
  /** The entries of up to 50 keys, in their order; null for those that are absent. Refuses with: kv-read-too-large. */
  getMany<Value = Json>(keys: readonly string[]): Promise<(KvEntry<Value> | null)[]>;
  /**
   * Up to 20 operations, one after another, all of them or none. A `check` that does not hold refuses the whole.
   * Refuses with: kv-version-conflict, kv-value-too-large, kv-quota-exceeded.
   */
  transaction(operations: readonly KvOperation[]): Promise<{ results: KvOperationResult[] }>;
}
