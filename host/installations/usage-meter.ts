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

  const add = ({ installationId, ...more }: UsageSum) => {
    const sum = sums.get(installationId);
    if (!sum) {
      sums.set(installationId, { installationId, ...more });
      return;
    }
    for (const name of Object.keys(more) as (keyof typeof more)[]) sum[name] += more[name];
  };

  return {
    add: (installationId, { status, usage }) => {
      const { cpuMs, wallMs, turns, hostCalls, inputBytes, outputBytes, executions } = usage;
      const faults = status === 'faulted' ? 1 : 0;
      add({
        installationId,
        invocations: 1,
        faults,
        ...{ cpuMs, wallMs, turns, hostCalls, inputBytes, outputBytes, executions },
      });
    },
    flush: async () => {
      if (sums.size === 0) return;
      const unwritten = sums;
      sums = new Map();
      try {
        await store.add([...unwritten.values()], nowMs());
      } catch (error) {
        for (const sum of unwritten.values()) add(sum);
        throw error;
      }
    },
  };
}
