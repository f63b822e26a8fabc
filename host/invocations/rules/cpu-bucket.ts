/**
 * A token bucket of CPU time (RFC 2698, section 3, with one bucket). Credit is in microseconds and time in whole
 * milliseconds, so that `cpuMsPerSecond` is exactly the microseconds that come back each millisecond: all arithmetic is
 * on integers, and many short waits give back what one long wait gives.
 */
export interface CpuBucket {
  /** Negative where invocations used more than there was: what runs is not stopped for it. */
  readonly creditUs: number;
  /** When `creditUs` was right. */
  readonly atMs: number;
}

export interface CpuBudget {
  /** CPU milliseconds that come back every second. */
  cpuMsPerSecond: number;
  /** CPU milliseconds that a full bucket holds. */
  cpuBurstMs: number;
}

/** So much must be there before an invocation starts; a full bucket always has it. */
const START_CREDIT_US = 1_000;

export const fullBucket = ({ cpuBurstMs }: CpuBudget, nowMs: number): CpuBucket => ({
  creditUs: cpuBurstMs * 1_000,
  atMs: nowMs,
});

/** The bucket at `nowMs`, whole milliseconds. A clock that goes backwards gives nothing and takes nothing. */
export function refill(
  { creditUs, atMs }: CpuBucket,
  { cpuMsPerSecond, cpuBurstMs }: CpuBudget,
  nowMs: number,
): CpuBucket {
  const gainedUs = Math.max(0, nowMs - atMs) * cpuMsPerSecond;
  return { creditUs: Math.min(cpuBurstMs * 1_000, creditUs + gainedUs), atMs: nowMs };
}

/** Takes what an invocation used, rounded to microseconds. */
export const debit = ({ creditUs, atMs }: CpuBucket, cpuMs: number): CpuBucket => ({
  creditUs: creditUs - Math.round(cpuMs * 1_000),
  atMs,
});

/** Milliseconds until an invocation may start, if nothing is debited meanwhile; 0: now. */
export const waitMs = ({ creditUs }: CpuBucket, { cpuMsPerSecond }: CpuBudget): number =>
  creditUs >= START_CREDIT_US ? 0 : Math.ceil((START_CREDIT_US - creditUs) / cpuMsPerSecond);

/** A full bucket need not be kept: a new one is the same. */
export const isFull = ({ creditUs }: CpuBucket, { cpuBurstMs }: CpuBudget): boolean => creditUs >= cpuBurstMs * 1_000;
