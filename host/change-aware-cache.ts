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
  forget(isConcerned: Concern<Value>): void;
}

type Concern<Value> = (value: Value) => boolean;

export interface CacheOptions<Value> {
  load(key: string): Promise<Value>;
  /** Milliseconds that a value may be kept; 0 keeps nothing. */
  ttlMs(value: Value): number;
  entriesMax?: number;
}

/** Every so many times that something is looked up, it becomes what was used last: 1.3 us where it is one of five hundred. */
const LOOKS_PER_USE = 16;

/**
 * Keeps what the hot path needs in memory. Changes are rare and loads cheap, so a change clears everything where it is not said
 * what it concerns: that also covers answers of the kind "there is no such thing". A load that a change overtakes is made again where it may
 * have read what was there before, never kept.
 */
export function changeAwareCache<Value>({
  load,
  ttlMs,
  entriesMax = 20_000,
}: CacheOptions<Value>): ChangeAwareCache<Value> {
  const kept = new LRUCache<string, { value: Value; looks: number }>({ max: entriesMax });
  const loading = new Map<string, Promise<Value>>();
  /** For each load on its way, which values the changes since it began concern. */
  const overtaken = new Set<Concern<Value>[]>();

  const loadFresh = async (key: string): Promise<Value> => {
    for (;;) {
      const concerns: Concern<Value>[] = [];
      overtaken.add(concerns);
      try {
        const value = await load(key);
        if (concerns.some((isConcerned) => isConcerned(value))) continue;
        const ttl = ttlMs(value);
        if (ttl > 0) kept.set(key, { value, looks: 0 }, { ttl: Math.max(1, Math.floor(ttl)) });
        return value;
      } finally {
        overtaken.delete(concerns);
      }
    }
  };

  const overtake = (isConcerned: Concern<Value>) => {
    for (const concerns of overtaken) concerns.push(isConcerned);
  };

  return {
    find: (key) => {
      const found = kept.peek(key);
      if (found) {
        if (++found.looks % LOOKS_PER_USE === 0) kept.get(key);
        return found.value;
      }
      const pending = loading.get(key);
      if (pending) return pending;
      const load = loadFresh(key).finally(() => loading.delete(key));
      loading.set(key, load);
      return load;
    },
    clear: () => {
      overtake(() => true);
      kept.clear();
    },
    forget: (isConcerned) => {
      overtake(isConcerned);
      for (const [key, { value }] of kept.entries()) if (isConcerned(value)) kept.delete(key);
    },
  };
}
