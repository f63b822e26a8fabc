import type { KvOperationResult } from '../../plugins-sdk/contract/index.ts';
import type { CallKey } from './call-key.ts';
import type { StoredOperation } from './rules/kv-operations.ts';

/**
 * Where the entries of the capability `kv` live. All operations are atomic; a resolved promise means durable.
 * With a CallKey, a call that was done before is not done again: its result comes from the record.
 */
export interface KvStore {
  get(installationId: string, key: string): Promise<StoredEntry | null>;
  /** Refuses with (CapabilityError): kv-version-conflict, kv-quota-exceeded. */
  set(installationId: string, entry: EntryToStore, key?: CallKey): Promise<{ version: number }>;
  /** Refuses with: kv-version-conflict. */
  delete(installationId: string, key: string, ifVersion?: number, callKey?: CallKey): Promise<{ deleted: boolean }>;
  /**
   * Entries whose keys start with `prefix` and come after `afterKey`, by code point, at most `limit`, and none behind the one with
   * which they are more than KV_READ_BYTES_MAX bytes of JSON.
   */
  list(installationId: string, range: { prefix: string; afterKey: string; limit: number }): Promise<StoredEntry[]>;
  /** Refuses with: capability-arguments-invalid where the entry is no safe integer, or would stop being one. */
  increment(installationId: string, key: string, by: number, callKey?: CallKey): Promise<{ value: number }>;
  /** In the order of `keys`. Refuses with: kv-read-too-large, before it reads what is too large. */
  getMany(installationId: string, keys: readonly string[]): Promise<(StoredEntry | null)[]>;
  /** Refuses with: kv-version-conflict, kv-quota-exceeded, capability-arguments-invalid (as `increment`). */
  transaction(
    installationId: string,
    operations: readonly StoredOperation[],
    callKey?: CallKey,
  ): Promise<KvOperationResult[]>;
}

export interface StoredEntry {
  key: string;
  /** The value as JSON text. */
  json: string;
  /** 1 for a new entry, one more with every change. */
  version: number;
}

export interface EntryToStore {
  key: string;
  json: string;
  ttlSeconds?: number;
  /** 0: only where no entry is; n: only over version n. */
  ifVersion?: number;
}
