/** Counts what many installations do, each against its own bucket. */
export interface RateLimit {
  /** Takes one out of the bucket of `id`; false where it is empty. */
  take(id: string): boolean;
}

/** Below this it is cheaper to remember buckets than to look for full ones. */
const REMEMBER_MIN = 1_024;

/** A bucket of `burst` for each id, of which `perSecond` come back every second. No timers. */
export function createRateLimit({
  burst,
  perSecond,
  nowMs,
}: {
  burst: number;
  perSecond: number;
  nowMs(): number;
}): RateLimit {
  const buckets = new Map<string, { left: number; atMs: number }>();
  let sweepAt = REMEMBER_MIN;
  const leftOf = ({ left, atMs }: { left: number; atMs: number }, now: number) =>
    Math.min(burst, left + (Math.max(0, now - atMs) * perSecond) / 1_000);

  return {
    take: (id) => {
      const now = nowMs();
      if (buckets.size >= sweepAt) {
        for (const [each, bucket] of buckets) if (leftOf(bucket, now) >= burst) buckets.delete(each);
        sweepAt = Math.max(REMEMBER_MIN, buckets.size * 2);
      }
      const bucket = buckets.get(id);
      const left = bucket ? leftOf(bucket, now) : burst;
      if (left < 1) return false;
      buckets.set(id, { left: left - 1, atMs: now });
      return true;
    },
  };
}
