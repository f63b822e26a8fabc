import type { Limits } from '../../plugins-sdk/contract/index.ts';
import { type AbortNotice, SandboxRefusal } from '../../sandbox/index.ts';
import { HostRefusal } from '../errors.ts';
import { type CpuBucket, debit, fullBucket, isFull, refill, waitMs } from './rules/cpu-bucket.ts';

const CODES = ['installation-saturated', 'cpu-budget-exhausted'] as const;
export type AdmissionRefusal = HostRefusal & { code: (typeof CODES)[number] };

/** Whether an installation was refused for what it does itself. Its log and the metrics tell. */
export const isAdmissionRefusal = (error: unknown): error is AdmissionRefusal =>
  error instanceof HostRefusal && (CODES as readonly string[]).includes(error.code);

type Share = Pick<Limits, 'concurrent' | 'queued' | 'wallMs' | 'cpuMsPerSecond' | 'cpuBurstMs'>;

/** Shares a host among installations: how many invocations of each run, how many wait, and how much CPU time it has. */
export interface Admission {
  /**
   * Lets an invocation in: 0 where it may start at once, which costs no promise; else a promise of the milliseconds that it
   * waited for its turn, in order of arrival and at most its `wallMs`. Every entry needs one `leave`.
   * Refuses with: installation-saturated, cpu-budget-exhausted, invocation-aborted.
   */
  enter(installationId: string, limits: Share, signal?: AbortNotice): 0 | Promise<number>;
  /** Ends an entry, takes the CPU time that it used, and lets in who waits. */
  leave(installationId: string, limits: Share, cpuMs: number): void;
  /** Takes CPU time that was used after its invocation had left. */
  charge(installationId: string, limits: Share, cpuMs: number): void;
  /** Installations that are remembered: those with something running, and those whose CPU budget is not full. */
  size(): number;
}

interface Gate {
  running: number;
  /** In order of arrival; null where nobody ever waited. */
  waiting: Set<Waiter> | null;
  bucket: CpuBucket;
  /** Those of the last invocation. */
  limits: Share;
}

interface Waiter {
  limits: Share;
  sinceMs: number;
  /** Ends the wait; with an error it ends the invocation. */
  settle(error: Error | null): void;
}

/** Below this, it is cheaper to remember installations than to look for those that need not be. */
const REMEMBER_MIN = 1_024;

/** `monotonicMs` is a clock in milliseconds. No timer runs except for those who wait. */
export function createAdmission(monotonicMs: () => number): Admission {
  const gates = new Map<string, Gate>();
  let sweepAt = REMEMBER_MIN;
  const nowMs = () => Math.floor(monotonicMs());

  const sweep = (now: number) => {
    for (const [id, { running, bucket, limits }] of gates) {
      if (running === 0 && isFull(refill(bucket, limits, now), limits)) gates.delete(id);
    }
    sweepAt = Math.max(REMEMBER_MIN, gates.size * 2);
  };
  const open = (id: string, limits: Share): Gate => {
    const now = nowMs();
    if (gates.size >= sweepAt) sweep(now);
    const gate: Gate = { running: 0, waiting: null, bucket: fullBucket(limits, now), limits };
    gates.set(id, gate);
    return gate;
  };

  const take = (gate: Gate, limits: Share, cpuMs: number) => {
    gate.bucket = debit(refill(gate.bucket, limits, nowMs()), cpuMs);
  };
  const admitWaiting = (gate: Gate) => {
    const { waiting } = gate;
    if (waiting === null) return;
    for (const waiter of waiting) {
      if (gate.running >= waiter.limits.concurrent) return;
      waiting.delete(waiter);
      const broke = exhausted(gate.bucket, waiter.limits);
      if (broke === null) gate.running += 1;
      waiter.settle(broke);
    }
  };

  return {
    enter: (id, limits, signal) => {
      const gate = gates.get(id) ?? open(id, limits);
      gate.limits = limits;
      // What came back since the last look matters only where there was not enough.
      if (waitMs(gate.bucket, limits) > 0) gate.bucket = refill(gate.bucket, limits, nowMs());
      const broke = exhausted(gate.bucket, limits);
      if (broke !== null) throw broke;
      const waits = gate.waiting?.size ?? 0;
      if (waits === 0 && gate.running < limits.concurrent) {
        gate.running += 1;
        return 0;
      }
      if (waits >= limits.queued) throw queueFull(limits);
      return waitForTurn(gate, limits, monotonicMs, signal);
    },
    leave: (id, limits, cpuMs) => {
      const gate = gates.get(id)!;
      gate.running -= 1;
      take(gate, limits, cpuMs);
      admitWaiting(gate);
    },
    charge: (id, limits, cpuMs) => take(gates.get(id) ?? open(id, limits), limits, cpuMs),
    size: () => gates.size,
  };
}

function waitForTurn(
  gate: Gate,
  limits: Share,
  monotonicMs: () => number,
  signal: AbortNotice | undefined,
): Promise<number> {
  if (signal?.aborted) return Promise.reject(new SandboxRefusal('invocation-aborted'));
  gate.waiting ??= new Set();
  const { waiting } = gate;
  return new Promise((resolve, reject) => {
    const sinceMs = monotonicMs();
    const leaveQueue = (error: Error) => {
      waiting.delete(waiter);
      waiter.settle(error);
    };
    const onAbort = () => leaveQueue(new SandboxRefusal('invocation-aborted'));
    const timer = setTimeout(() => leaveQueue(waitedTooLong(limits)), limits.wallMs);
    const waiter: Waiter = {
      limits,
      sinceMs,
      settle: (error) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        if (error) reject(error);
        else resolve(Math.max(0, monotonicMs() - sinceMs));
      },
    };
    signal?.addEventListener('abort', onAbort);
    waiting.add(waiter);
  });
}

const queueFull = ({ concurrent, queued }: Share) =>
  new HostRefusal(
    'installation-saturated',
    `The installation has ${concurrent} invocations running and ${queued} waiting, which is as many as it may.`,
    { limit: 'queued', allowed: queued, concurrent },
  );

const waitedTooLong = ({ concurrent, wallMs }: Share) =>
  new HostRefusal(
    'installation-saturated',
    `None of the ${concurrent} invocations that the installation may run at once ended within ${wallMs} ms.`,
    { limit: 'concurrent', allowed: concurrent, queuedMs: wallMs },
  );

/** Null where the bucket has credit. */
function exhausted(bucket: CpuBucket, limits: Share): HostRefusal | null {
  const retryAfterMs = waitMs(bucket, limits);
  if (retryAfterMs === 0) return null;
  const { cpuBurstMs, cpuMsPerSecond } = limits;
  const used = cpuBurstMs - bucket.creditUs / 1_000;
  return new HostRefusal(
    'cpu-budget-exhausted',
    `cpuBurstMs: ${cpuBurstMs} allowed, ${used} used; ${cpuMsPerSecond} come back every second.`,
    { limit: 'cpuBurstMs', allowed: cpuBurstMs, used, cpuMsPerSecond, retryAfterMs },
  );
}
