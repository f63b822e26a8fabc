import type { Outcome } from '../../sandbox/index.ts';
import { bucketOf } from '../rollouts/rules/latency-buckets.ts';

/** What one installation did on one release. */
export interface ReleaseSum {
  installationId: string;
  releaseId: string;
  invocations: number;
  faults: number;
  /** Answered invocations by bucket of duration, as far as the last that is not empty. */
  durations: number[];
}

export interface ReleaseUsageStore {
  /** Adds to the sums of the day (UTC) that `atMs` lies in: all of it or nothing. Installations that are gone are left out. */
  add(sums: ReleaseSum[], atMs: number): Promise<void>;
}

export interface ReleaseMeter {
  /** Adds one ended invocation; only arithmetic, no I/O. */
  add(installation: { id: string; releaseId: string }, outcome: Outcome): void;
  /** Writes the sums so far. What cannot be written is kept for the next time. */
  flush(): Promise<void>;
}

/** Adds up in memory what is done on each release: what an installation runs changes, and a canary is another release beside it. */
export function releaseMeter(store: ReleaseUsageStore, nowMs: () => number): ReleaseMeter {
  /** By installation; nearly always it runs one release. */
  let sums = new Map<string, ReleaseSum[]>();
  const sumOf = (installationId: string, releaseId: string): ReleaseSum => {
    let ofInstallation = sums.get(installationId);
    if (ofInstallation === undefined) {
      ofInstallation = [];
      sums.set(installationId, ofInstallation);
    }
    let sum = ofInstallation.find((each) => each.releaseId === releaseId);
    if (sum === undefined) {
      sum = { installationId, releaseId, invocations: 0, faults: 0, durations: [] };
      ofInstallation.push(sum);
    }
    return sum;
  };
  const addDurations = ({ durations }: ReleaseSum, bucket: number, calls: number) => {
    while (durations.length <= bucket) durations.push(0);
    durations[bucket]! += calls;
  };
  return {
    add: ({ id, releaseId }, { status, usage }) => {
      const sum = sumOf(id, releaseId);
      sum.invocations += 1;
      if (status === 'faulted') sum.faults += 1;
      else addDurations(sum, bucketOf(usage.wallMs), 1);
    },
    flush: async () => {
      if (sums.size === 0) return;
      const unwritten = [...sums.values()].flat();
      sums = new Map();
      try {
        await store.add(unwritten, nowMs());
      } catch (error) {
        for (const { installationId, releaseId, invocations, faults, durations } of unwritten) {
          const sum = sumOf(installationId, releaseId);
          sum.invocations += invocations;
          sum.faults += faults;
          for (const [bucket, calls] of durations.entries()) addDurations(sum, bucket, calls);
        }
        throw error;
      }
    },
  };
}
