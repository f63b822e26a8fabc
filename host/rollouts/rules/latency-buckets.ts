/** Durations are counted in buckets, each 19 % wider than the one before, from 0.25 ms to more than a minute. */
const FIRST_EDGE_MS = 0.25;
const PER_DOUBLING = 4;
export const BUCKETS = 74;

/** The bucket of a duration; the last one takes whatever is longer. */
export function bucketOf(durationMs: number): number {
  if (!(durationMs > FIRST_EDGE_MS)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(durationMs / FIRST_EDGE_MS) * PER_DOUBLING));
}

/** The longest duration of a bucket. */
export const edgeMs = (bucket: number): number => FIRST_EDGE_MS * 2 ** (bucket / PER_DOUBLING);

/** The bucket in which the quantile lies, 0 where nothing was counted. */
export function quantileBucket(counts: readonly number[], quantile: number): number {
  const total = counts.reduce((sum, count) => sum + (count ?? 0), 0);
  let seen = 0;
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    seen += counts[bucket] ?? 0;
    if (seen > 0 && seen >= quantile * total) return bucket;
  }
  return 0;
}

/** How many were counted in buckets that lie above a duration as a whole. */
export function countAbove(counts: readonly number[], durationMs: number): number {
  let above = 0;
  for (let bucket = 1; bucket < counts.length; bucket += 1) {
    if (edgeMs(bucket - 1) >= durationMs) above += counts[bucket] ?? 0;
  }
  return above;
}
