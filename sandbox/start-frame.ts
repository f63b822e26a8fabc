import type { Invocation } from './contract.ts';
import type { HostMessage } from './messages.ts';

export interface Execution {
  ticket: number;
  /** 1, 2, ...: how often the invocation was begun. */
  execution: number;
  /** On the monotonic clock. */
  deadlineMs: number;
}

/** Head of the frame with which an execution of an invocation begins. */
export const startFrame = (
  { invocationId: id, installationId, digest, seed, startedAtMs, limits }: Invocation,
  { ticket, execution, deadlineMs }: Execution,
): Extract<HostMessage, { op: 'start' }> => ({
  op: 'start',
  ticket,
  execution,
  id,
  installationId,
  digest,
  seed,
  nowMs: startedAtMs,
  deadlineMs,
  limits,
  // Known when it leaves.
  pollUs: 0,
});
