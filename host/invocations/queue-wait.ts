import { type Limits, PLUGIN_FAULTS, type PluginFault } from '../../plugins-sdk/contract/index.ts';
import type { Outcome } from '../../sandbox/index.ts';

/** The limits that an invocation has left after it waited for its turn. */
export const leftOf = (limits: Limits, queuedMs: number): Limits => ({
  ...limits,
  wallMs: Math.max(1, Math.floor(limits.wallMs - queuedMs)),
});

/** Limits of an invocation that somebody else waits for, and that has no longer than they. */
export const within = (limits: Limits, remainingMs: number): Limits =>
  remainingMs >= limits.wallMs ? limits : { ...limits, wallMs: Math.max(1, Math.floor(remainingMs)) };

/** An outcome under `leftOf(limits, queuedMs)`, told in terms of the whole: the wait is part of its usage and of its limit. */
export function withWait(outcome: Outcome, { wallMs }: Limits, queuedMs: number): Outcome {
  const usage = {
    ...outcome.usage,
    wallMs: roundTo3(outcome.usage.wallMs + queuedMs),
    queuedMs: roundTo3(outcome.usage.queuedMs + queuedMs),
  };
  if (outcome.status === 'completed') return { ...outcome, usage };
  return { ...outcome, usage, fault: faultWithWait(outcome.fault, wallMs, queuedMs) };
}

function faultWithWait(fault: PluginFault, allowed: number, queuedMs: number): PluginFault {
  if (fault.limit !== 'wallMs' || fault.used === undefined) return fault;
  const used = roundTo3(fault.used + queuedMs);
  const message = `${PLUGIN_FAULTS[fault.code]} wallMs: ${allowed} allowed, ${used} used, ${roundTo3(queuedMs)} of them in the queue.`;
  return { ...fault, message, allowed, used };
}

/** As the sandbox rounds: microseconds. */
const roundTo3 = (value: number): number => Math.round(value * 1_000) / 1_000;
