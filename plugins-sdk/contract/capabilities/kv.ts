import { type TSchema, Type } from 'typebox';
import type { Json } from '../json.ts';
import type { Capability } from './contract.ts';
import { REFUSALS } from './refusals.ts';
import { KV_KEY_UNITS_MAX } from './sizes.ts';

const Key = Type.String({ minLength: 1, maxLength: KV_KEY_UNITS_MAX, pattern: '^[^\\u0000-\\u001f]+$' });
const strict = (properties: Record<string, TSchema>) => Type.Object(properties, { additionalProperties: false });

export const kv = {
  purpose: 'Store and read its own data for this installation.',
  calls: {
    'kv.get': strict({ key: Key }),
    'kv.set': strict({
      key: Key,
      value: Type.Unknown(),
      ttlSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 366 * 86_400 })),
      ifVersion: Type.Optional(Type.Integer({ minimum: 0, description: '0 means: only if the key is absent.' })),
    }),
    'kv.delete': strict({ key: Key, ifVersion: Type.Optional(Type.Integer({ minimum: 1 })) }),
    'kv.list': strict({
      prefix: Type.Optional(Type.String({ maxLength: 512 })),
      cursor: Type.Optional(Type.String({ maxLength: 1_024 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
    }),
    'kv.increment': strict({ key: Key, by: Type.Optional(Type.Integer()) }),
  },
  refusals: REFUSALS.kv,
} as const satisfies Capability;

/** One stored entry. `version` counts its changes, starting at 1. */
export interface KvEntry<Value = Json> {
  key: string;
  value: Value;
  version: number;
}

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
}
