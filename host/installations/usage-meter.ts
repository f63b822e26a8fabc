import type { ExtraCpu, Outcome } from '../../sandbox/index.ts';
import type { InvocationRefusalCode } from '../invocations/contract.ts';
import type { RefusalSum, UsageStore, UsageSum } from './usage-store.ts';

export interface UsageMeter {
  /** Adds one ended invocation; only arithmetic, no I/O. */
  add(installationId: string, outcome: Outcome, logBytes: number): void;
  /** Adds CPU time beside the outcomes. What was repeated because a cordon died is billed to nobody. */
  addExtra(extra: ExtraCpu): void;
  /** Counts one invocation that had no outcome. */
  refuse(installationId: string, code: InvocationRefusalCode): void;
  /** Writes the sums so far. What cannot be written is kept for the next time. */
  flush(): Promise<void>;
}

/** Adds up usage in memory and writes it now and then: one row per installation and hour, not one per invocation. */
export function usageMeter(store: Pick<UsageStore, 'add'>, nowMs: () => number): UsageMeter {
  let sums = new Map<string, UsageSum>();
  let refusals = new Map<string, RefusalSum>();

  const sumOf = (installationId: string): UsageSum => {
    let sum = sums.get(installationId);
    if (sum === undefined) {
      sum = emptySum(installationId);
      sums.set(installationId, sum);
    }
    return sum;
  };
  const addRefusals = (installationId: string, code: InvocationRefusalCode, invocations: number) => {
    const key = `${installationId} ${code}`;
    const sum = refusals.get(key);
    if (sum) sum.invocations += invocations;
    else refusals.set(key, { installationId, code, invocations });
  };

  return {
    add: (installationId, { status, usage }, logBytes) => {
      const sum = sumOf(installationId);
      sum.invocations += 1;
      if (status === 'faulted') sum.faults += 1;
      sum.cpuMs += usage.cpuMs;
      sum.wallMs += usage.wallMs;
      sum.queuedMs += usage.queuedMs;
      sum.turns += usage.turns;
      sum.hostCalls += usage.hostCalls;
      sum.inputBytes += usage.inputBytes;
      sum.outputBytes += usage.outputBytes;
      sum.logBytes += logBytes;
      sum.executions += usage.executions;
      sum.heapMiBMax = Math.max(sum.heapMiBMax, usage.heapMiB);
      sum.externalMiBMax = Math.max(sum.externalMiBMax, usage.externalMiB);
    },
    addExtra: ({ why, installationId, cpuMs }) => {
      if (why === 'start-up') sumOf(installationId).startupCpuMs += cpuMs;
      else if (why === 'after-end') sumOf(installationId).cpuMs += cpuMs;
    },
    refuse: (installationId, code) => addRefusals(installationId, code, 1),
    flush: async () => {
      if (sums.size === 0 && refusals.size === 0) return;
      const [unwritten, uncounted] = [[...sums.values()], [...refusals.values()]];
      sums = new Map();
      refusals = new Map();
      try {
        await store.add(unwritten, uncounted, nowMs());
      } catch (error) {
        for (const sum of unwritten) merge(sumOf(sum.installationId), sum);
        for (const { installationId, code, invocations } of uncounted) addRefusals(installationId, code, invocations);
        throw error;
      }
    },
  };
}

const emptySum = (installationId: string): UsageSum => ({
  installationId,
  invocations: 0,
  faults: 0,
  cpuMs: 0,
  startupCpuMs: 0,
  wallMs: 0,
  queuedMs: 0,
  turns: 0,
  hostCalls: 0,
  inputBytes: 0,
  outputBytes: 0,
  logBytes: 0,
  executions: 0,
  heapMiBMax: 0,
  externalMiBMax: 0,
});

function merge(into: UsageSum, { installationId: _same, heapMiBMax, externalMiBMax, ...more }: UsageSum): void {
  for (const name of Object.keys(more) as (keyof typeof more)[]) into[name] += more[name];
  into.heapMiBMax = Math.max(into.heapMiBMax, heapMiBMax);
  into.externalMiBMax = Math.max(into.externalMiBMax, externalMiBMax);
}
