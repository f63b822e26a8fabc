import type { LanePen } from './black-box.ts';
import { monotonicMs } from './clock.ts';
import { createTimerThreads } from './timer-threads.ts';
import type { WatchBoard } from './watch-board.ts';

/** Who enters which isolate, and until when it must be out again. */
export interface TurnTicket {
  text: string;
  timeoutMs: number;
  heapMiB: number;
  /** What the invocation has left of both. */
  cpuLeftMs: number;
  wallLeftMs: number;
}

/**
 * Below this, time on the clock is taken for CPU time; it is an upper bound, and a thread that was preempted for longer
 * than this shows. Above, the kernel is asked.
 */
const CLOCK_IS_CPU_MS = 4;

/**
 * Runs one entry into an isolate: noted in the black box, shown to the watchdog, and its CPU time measured.
 *
 * `isolate.cpuTime` of isolated-vm 7.0.1's prebuilt binaries is wall time (measured: 4.5 s for 2.2 s of CPU on a busy
 * machine), so the thread's own usage is read. The kernel updates that only at ticks (4 ms here) and when the thread
 * gives up its core; waiting on nothing for 10 us makes it do so.
 */
export function createTurnMeter(lane: number, pen: LanePen, board: WatchBoard) {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  const result = { cpuMs: 0, elapsedMs: 0 };
  const threadCpuMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };

  /** Returns what `enter` returned; `meter.last` holds its cost until the next entry. */
  const measure = <Result>(ticket: TurnTicket, enter: () => Result): Result => {
    const startedAtMs = monotonicMs();
    const mustEndByMs = startedAtMs + ticket.timeoutMs;
    const cpuBeforeMs = threadCpuMs();
    pen.enter(ticket.text, startedAtMs, mustEndByMs);
    const { heapMiB, cpuLeftMs, wallLeftMs } = ticket;
    board.enter(lane, { mustEndByMs, heapMiB, cpuLeftMs, deadlineMs: startedAtMs + wallLeftMs });
    try {
      return enter();
    } finally {
      board.leave(lane);
      result.elapsedMs = monotonicMs() - startedAtMs;
      result.cpuMs = result.elapsedMs;
      if (result.elapsedMs > CLOCK_IS_CPU_MS) {
        Atomics.wait(nothing, 0, 0, 0.01);
        result.cpuMs = Math.min(result.elapsedMs, threadCpuMs() - cpuBeforeMs);
      }
    }
  };

  /** Returns what `work` made, which is no entry into an isolate, and the CPU time that this took. */
  const time = <Made>(work: () => Made): { made: Made; cpuMs: number } => {
    const cpuBeforeMs = threadCpuMs();
    const made = work();
    Atomics.wait(nothing, 0, 0, 0.01);
    return { made, cpuMs: threadCpuMs() - cpuBeforeMs };
  };
  return { measure, time, fitTimeout: createTimerThreads(monotonicMs), last: result as Readonly<typeof result> };
}

export type TurnMeter = ReturnType<typeof createTurnMeter>;
