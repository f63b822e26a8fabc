/** Where the entries of the capability `kv` live. All operations are atomic; a resolved promise means durable. */
export interface KvStore {
  get(installationId: string, key: string): Promise<StoredEntry | null>;
  /** Refuses with (CapabilityError): kv-version-conflict, kv-quota-exceeded. */
  set(installationId: string, entry: EntryToStore): Promise<{ version: number }>;
  /** Refuses with: kv-version-conflict. */
  delete(installationId: string, key: string, ifVersion?: number): Promise<{ deleted: boolean }>;
  /** Entries whose keys start with `prefix` and come after `afterKey`, by code point, at most `limit`. */
  list(installationId: string, range: { prefix: string; afterKey: string; limit: number }): Promise<StoredEntry[]>;
  /** Refuses with: capability-arguments-invalid where the entry is no safe integer, or would stop being one. */
  increment(installationId: string, key: string, by: number): Promise<{ value: number }>;
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
