import { readSync } from 'node:fs';
import type { LaneFds } from './descriptors.ts';

export type LaneEar = (into: Buffer, pollUs: number) => number;

/**
 * How a lane hears the host: looks for at most `pollUs` microseconds whether there is something, then sleeps until there is. To
 * be woken takes longer than most turns do (busy-poll.ts). Returns the bytes that it has read; 0 where the host has closed.
 */
export const createLaneEar =
  ({ hearFd, pollFd }: Pick<LaneFds, 'hearFd' | 'pollFd'>, nowMs: () => number): LaneEar =>
  (into, pollUs) => {
    const bytes = pollUs > 0 ? poll(pollFd, into, nowMs, pollUs / 1_000) : null;
    return bytes ?? readSync(hearFd, into, 0, into.length, null);
  };

/** Null where nothing came in time. */
function poll(fd: number, into: Buffer, nowMs: () => number, forMs: number): number | null {
  const untilMs = nowMs() + forMs;
  const { stackTraceLimit } = Error;
  // Node.js has no other way to say that there is nothing, and the stack is most of what an error costs.
  Error.stackTraceLimit = 0;
  try {
    do {
      try {
        return readSync(fd, into, 0, into.length, null);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
    } while (nowMs() < untilMs);
    return null;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
