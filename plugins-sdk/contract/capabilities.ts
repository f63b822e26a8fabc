import { type TSchema, Type } from 'typebox';
import type { Json } from './json.ts';

/** What an operator reads before granting a capability. */
export const CAPABILITIES = {
  kv: 'Store and read its own data for this installation.',
  config: 'Read the configuration that you enter for it.',
  log: 'Write structured log records that you and its publisher can read.',
} as const;

export type CapabilityName = keyof typeof CAPABILITIES;
export const isCapabilityName = (name: string): name is CapabilityName => Object.hasOwn(CAPABILITIES, name);

/** One entry may hold this much JSON text; an installation may hold this many entries. */
export const KV_VALUE_BYTES_MAX = 256 * 1024;
export const KV_ENTRIES_MAX = 100_000;

const Key = Type.String({ minLength: 1, maxLength: 512, pattern: '^[^\\u0000-\\u001f]+$' });
const strict = (properties: Record<string, TSchema>) => Type.Object(properties, { additionalProperties: false });

/**
 * Every host call and the schema of its arguments, checked by the host before any work is done.
 * Named `<capability>.<verb>`; the part before the dot is the grant that it needs.
 */
export const HOST_CALLS = {
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
} as const;

export type HostCallName = keyof typeof HOST_CALLS;
export const isHostCallName = (name: string): name is HostCallName => Object.hasOwn(HOST_CALLS, name);
export const capabilityOf = (name: HostCallName): CapabilityName => name.slice(0, name.indexOf('.')) as CapabilityName;

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

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log of one installation: a message and plain facts. */
export type Log = Record<LogLevel, (message: string, facts?: { [key: string]: Json }) => void>;
