import type { MeteredCall } from '../capabilities/broker.ts';
import type { CapabilitySum } from './contract.ts';
import type { GrantStore } from './grant-store.ts';

export interface CapabilityMeter {
  /** Only arithmetic, no I/O. */
  called(call: MeteredCall): void;
  /** It was used without a call: what is part of the input, or is not answered. */
  used(installationId: string, capability: string): void;
  /** Writes the sums so far. What cannot be written is kept for the next time. */
  flush(): Promise<void>;
}

/** Adds up the calls of capabilities in memory and writes them now and then: no call waits for its meter. */
export function createCapabilityMeter(store: Pick<GrantStore, 'add'>, nowMs: () => number): CapabilityMeter {
  let sums = new Map<string, CapabilitySum>();

  const sumOf = (installationId: string, capability: string): CapabilitySum => {
    const key = `${installationId} ${capability}`;
    let sum = sums.get(key);
    if (!sum) {
      sum = { installationId, capability, calls: 0, refused: 0, bytes: 0, wallMs: 0, usedAtMs: null };
      sums.set(key, sum);
    }
    return sum;
  };
  const addTo = (sum: CapabilitySum, more: CapabilitySum) => {
    sum.calls += more.calls;
    sum.refused += more.refused;
    sum.bytes += more.bytes;
    sum.wallMs += more.wallMs;
    if (more.usedAtMs !== null) sum.usedAtMs = Math.max(sum.usedAtMs ?? 0, more.usedAtMs);
  };

  return {
    called: ({ installationId, capability, code, bytes, wallMs }) => {
      const sum = sumOf(installationId, capability);
      sum.calls += 1;
      sum.bytes += bytes;
      sum.wallMs += wallMs;
      if (code !== null) sum.refused += 1;
      // Who is told that something was not granted has not used it.
      if (code !== 'capability-denied') sum.usedAtMs = nowMs();
    },
    used: (installationId, capability) => {
      sumOf(installationId, capability).usedAtMs = nowMs();
    },
    flush: async () => {
      if (sums.size === 0) return;
      const unwritten = [...sums.values()];
      sums = new Map();
      try {
        await store.add(unwritten, nowMs());
      } catch (error) {
        for (const sum of unwritten) addTo(sumOf(sum.installationId, sum.capability), sum);
        throw error;
      }
    },
  };
}
