import type { Arm } from './contract.ts';
import { ERRORS_BUCKET } from './rollout-store.ts';
import { bucketOf } from './rules/latency-buckets.ts';
import type { SampleCount, SampleStore } from './sample-store.ts';

export interface SampleMeter {
  /** Counts one call; only arithmetic. `durationMs` is null for one that failed. */
  add(rolloutId: string, arm: Arm, durationMs: number | null): void;
  /** Writes what was counted. What cannot be written is kept for the next time. */
  flush(): Promise<void>;
}

/** Adds up in memory what both releases of a rollout answer, and writes it now and then. */
export function sampleMeter(store: SampleStore): SampleMeter {
  let counts = new Map<string, SampleCount>();
  const count = (added: SampleCount) => {
    const key = `${added.rolloutId} ${added.arm} ${added.bucket}`;
    const found = counts.get(key);
    if (found) found.calls += added.calls;
    else counts.set(key, { ...added });
  };
  return {
    add: (rolloutId, arm, durationMs) =>
      count({ rolloutId, arm, bucket: durationMs === null ? ERRORS_BUCKET : bucketOf(durationMs), calls: 1 }),
    flush: async () => {
      if (counts.size === 0) return;
      const unwritten = [...counts.values()];
      counts = new Map();
      try {
        await store.add(unwritten);
      } catch (error) {
        for (const each of unwritten) count(each);
        throw error;
      }
    },
  };
}
