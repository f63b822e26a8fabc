import type { Outcome } from '../../sandbox/index.ts';
import type { UsageStore, UsageSum } from './usage-store.ts';

export interface UsageMeter {
  /** Adds one ended invocation; only arithmetic, no I/O. */
  add(installationId: string, outcome: Outcome): void;
  /** Writes the sums so far. What cannot be written is kept for the next time. */
  flush(): Promise<void>;
}

/** Adds up usage in memory and writes it now and then: one row per installation and hour, not one per invocation. */
export function usageMeter(store: UsageStore, nowMs: () => number): UsageMeter {
  let sums = new Map<string, UsageSum>();

  const add = (installationId: string, more: Omit<UsageSum, 'installationId'>) => {
    const sum = sums.get(installationId);
    if (!sum) {
      sums.set(installationId, { installationId, ...more });
      return;
    }
    sum.invocations += more.invocations;
    sum.faults += more.faults;
    sum.cpuMs += more.cpuMs;
    sum.hostCalls += more.hostCalls;
    sum.inputBytes += more.inputBytes;
    sum.outputBytes += more.outputBytes;
  };

  return {
    add: (installationId, { status, usage: { cpuMs, hostCalls, inputBytes, outputBytes } }) => {
      add(installationId, {
        invocations: 1,
        faults: status === 'faulted' ? 1 : 0,
        cpuMs,
        hostCalls,
        inputBytes,
        outputBytes,
      });
    },
    flush: async () => {
      if (sums.size === 0) return;
      const unwritten = sums;
      sums = new Map();
      try {
        await store.add([...unwritten.values()], nowMs());
      } catch (error) {
        for (const [installationId, sum] of unwritten) add(installationId, sum);
        throw error;
      }
    },
  };
}
