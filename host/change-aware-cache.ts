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
  /** How many that are used stay; twice as many may be kept. */
  entriesMax?: number;
}

interface Kept<Value> {
  value: Value;
  /** On the clock of `performance.now()`. */
  untilMs: number;
}

/**
 * Keeps what the hot path needs in memory. Changes are rare and loads cheap, so a change clears everything where it is not said
 * what it concerns: that also covers answers of the kind "there is no such thing". A load that a change overtakes is made again where it may
 * have read what was there before, never kept. There are two generations of `entriesMax` values: what nobody asked for during a whole
 * one goes. An order of use would have to be changed at every look-up, 1.5 us where it is one of five hundred.
 */
export function changeAwareCache<Value>({
  load,
  ttlMs,
  entriesMax = 20_000,
}: CacheOptions<Value>): ChangeAwareCache<Value> {
  let recent = new Map<string, Kept<Value>>();
  let older = new Map<string, Kept<Value>>();
  const loading = new Map<string, Promise<Value>>();
  /** For each load on its way, which values the changes since it began concern. */
  const overtaken = new Set<Concern<Value>[]>();

  const keep = (key: string, entry: Kept<Value>) => {
    if (recent.size >= entriesMax) {
      older = recent;
      recent = new Map();
    }
    recent.set(key, entry);
    older.delete(key);
  };
  const lookUp = (key: string): Kept<Value> | undefined => {
    let entry = recent.get(key);
    if (entry === undefined) {
      entry = older.get(key);
      if (entry !== undefined) keep(key, entry);
    }
    return entry !== undefined && performance.now() < entry.untilMs ? entry : undefined;
  };

  const loadFresh = async (key: string): Promise<Value> => {
    for (;;) {
      const concerns: Concern<Value>[] = [];
      overtaken.add(concerns);
      try {
        const value = await load(key);
        if (concerns.some((isConcerned) => isConcerned(value))) continue;
        const ttl = ttlMs(value);
        if (ttl > 0) keep(key, { value, untilMs: performance.now() + ttl });
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
      const found = lookUp(key);
      if (found) return found.value;
      const pending = loading.get(key);
      if (pending) return pending;
      const load = loadFresh(key).finally(() => loading.delete(key));
      loading.set(key, load);
      return load;
    },
    clear: () => {
      overtake(() => true);
      recent = new Map();
      older = new Map();
    },
    forget: (isConcerned) => {
      overtake(isConcerned);
      const nowMs = performance.now();
      for (const generation of [recent, older]) {
        for (const [key, { value, untilMs }] of generation) {
          // What is over was forgotten before the change: nobody is told that it was kept.
          if (untilMs <= nowMs || isConcerned(value)) generation.delete(key);
        }
      }
    },
  };
}
