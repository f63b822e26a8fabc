import { LRUCache } from 'lru-cache';

export interface ChangeAwareCache<Value> {
  /**
   * From memory if possible, and then without a promise; concurrent callers share one load. Rejects as `load` does, and
   * keeps nothing then.
   */
  find(key: string): Value | Promise<Value>;
  /** To be called for every change of what is cached, from whichever host. */
  clear(): void;
  /** The same for a change that concerns some of it: only that is forgotten. */
  forget(isConcerned: (value: Value) => boolean): void;
}

export interface CacheOptions<Value> {
  load(key: string): Promise<Value>;
  /** Milliseconds that a value may be kept; 0 keeps nothing. */
  ttlMs(value: Value): number;
  entriesMax?: number;
}

/**
 * Keeps what the hot path needs in memory. Changes are rare and loads cheap, so a change clears everything where it is not said
 * what it concerns: that also covers answers of the kind "there is no such thing". A load that a change overtakes is made again, never kept.
 */
export function changeAwareCache<Value>({
  load,
  ttlMs,
  entriesMax = 20_000,
}: CacheOptions<Value>): ChangeAwareCache<Value> {
  const kept = new LRUCache<string, { value: Value }>({ max: entriesMax });
  const loading = new Map<string, Promise<Value>>();
  let changes = 0;

  const loadFresh = async (key: string): Promise<Value> => {
    for (;;) {
      const before = changes;
      const value = await load(key);
      if (before !== changes) continue;
      const ttl = ttlMs(value);
      if (ttl > 0) kept.set(key, { value }, { ttl: Math.max(1, Math.floor(ttl)) });
      return value;
    }
  };

  return {
    find: (key) => {
      const found = kept.get(key);
      if (found) return found.value;
      const pending = loading.get(key);
      if (pending) return pending;
      const load = loadFresh(key).finally(() => loading.delete(key));
      loading.set(key, load);
      return load;
    },
    clear: () => {
      changes += 1;
      kept.clear();
    },
    forget: (isConcerned) => {
      changes += 1;
      for (const [key, { value }] of kept.entries()) if (isConcerned(value)) kept.delete(key);
    },
  };
}
