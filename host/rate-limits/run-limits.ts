import type { RunLimits } from './contract.ts';
import { rateLimited } from './refuse.ts';
import type { LimitName, RateLimit, RateLimitTable } from './rules/limits.ts';

export interface RunLimitPorts {
  limits: RateLimitTable;
  /** Told of every refusal. */
  onLimited(name: LimitName): void;
}

/** Keys that are remembered at least; twice as many at most. */
const KEYS_MAX = 50_000;

/**
 * Buckets that hold `count` requests and are refilled within `seconds`. A bucket is one number, the time at which it will be
 * full again (GCRA: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm), so that nothing has to be refilled, and
 * forgetting one that is full changes nothing.
 */
export function createRunLimits({ limits, onLimited }: RunLimitPorts): RunLimits {
  const buckets = new Map(Object.entries(limits).map(([name, limit]) => [name, limit && createBuckets(limit)]));
  return {
    take: (name, key, nowMs) => {
      const waitMs = buckets.get(name)?.take(key, nowMs) ?? 0;
      if (waitMs === 0) return;
      onLimited(name);
      throw rateLimited(name, limits[name]!, waitMs);
    },
  };
}

/** Takes one out of the bucket of `key`: 0, or the milliseconds until there is one again. */
function createBuckets({ count, seconds }: RateLimit) {
  const eachMs = (seconds * 1_000) / count;
  const wholeMs = seconds * 1_000;
  // Two generations: who has not come for a whole one has a full bucket, or shares the host with 50,000 others.
  let recent = new Map<string, { fullAtMs: number }>();
  let older = new Map<string, { fullAtMs: number }>();
  return {
    take: (key: string, nowMs: number): number => {
      let bucket = recent.get(key);
      if (bucket === undefined) {
        bucket = older.get(key) ?? { fullAtMs: nowMs };
        if (recent.size >= KEYS_MAX) {
          older = recent;
          recent = new Map();
        }
        recent.set(key, bucket);
      }
      const fullAtMs = Math.max(bucket.fullAtMs, nowMs) + eachMs;
      const waitMs = fullAtMs - nowMs - wholeMs;
      // A rounding error must not refuse the last one of a bucket.
      if (waitMs > 1e-6 * wholeMs) return waitMs;
      bucket.fullAtMs = fullAtMs;
      return 0;
    },
  };
}
