import { type MarkReason, markBlackBox } from './black-box.ts';
import { monotonicMs } from './clock.ts';
import { OVERDUE_GRACE_MS } from './limits.ts';
import type { WatchBoard, WatchedTurn } from './watch-board.ts';

export const WATCH_PERIOD_MS = 25;
/** Memory that a cordon may gain during one turn: the isolate's limit is soft (2-3x), and some memory it does not count. */
const GROWTH_FACTOR = 3;
const GROWTH_SLACK_MIB = 256;

/** Kills the process that it runs in, without unwinding anything: a lane that spins could not be joined. */
export function killSelf(blackBoxFd: number, lane: number, reason: MarkReason, cpuMs = 0): void {
  markBlackBox(blackBoxFd, lane, reason, cpuMs);
  process.kill(process.pid, 'SIGKILL');
}

/** `cpuMs`: what the process has used during the turn, on all its threads. The watchdog looks early enough to kill in time. */
export function isOverdue(
  { mustEndByMs, cpuLeftMs, deadlineMs }: Omit<WatchedTurn, 'heapMiB'>,
  nowMs: number,
  cpuMs: number,
): boolean {
  const latestMs = nowMs - OVERDUE_GRACE_MS + WATCH_PERIOD_MS;
  return latestMs > mustEndByMs && (cpuMs > cpuLeftMs || latestMs > deadlineMs);
}

interface Seen {
  mustEndByMs: number;
  cpuMs: number;
  residentMiB: number;
  overdue: boolean;
}

/**
 * Watches the lanes from the main thread, which never runs plugin code. Kills the cordon when a turn is overdue by
 * OVERDUE_GRACE_MS in two looks (so that a process that was stopped and goes on is not taken for a lane that hangs) and has
 * broken a limit (a busy machine may only not have let it run, and then nobody could be blamed), or when the process
 * grows during a turn far beyond what the isolate may hold.
 */
export function startWatchdog(board: WatchBoard, blackBoxFd: number): void {
  const seen: (Seen | null)[] = Array.from({ length: board.lanes }, () => null);
  const look = (lane: number) => {
    const mustEndByMs = board.mustEndByMs(lane);
    if (mustEndByMs === 0) {
      seen[lane] = null;
      return;
    }
    const last = seen[lane];
    if (!last || last.mustEndByMs !== mustEndByMs) {
      seen[lane] = { mustEndByMs, cpuMs: processCpuMs(), residentMiB: residentMiB(), overdue: false };
      return;
    }
    const cpuMs = processCpuMs() - last.cpuMs;
    const grownMiB = residentMiB() - last.residentMiB;
    if (grownMiB > board.heapMiB(lane) * GROWTH_FACTOR + GROWTH_SLACK_MIB) killSelf(blackBoxFd, lane, 'memory', cpuMs);
    const turn = { mustEndByMs, cpuLeftMs: board.cpuLeftMs(lane), deadlineMs: board.deadlineMs(lane) };
    if (!isOverdue(turn, monotonicMs(), cpuMs)) return;
    if (last.overdue) killSelf(blackBoxFd, lane, 'overdue', cpuMs);
    last.overdue = true;
  };
  setInterval(() => {
    for (let lane = 0; lane < board.lanes; lane++) look(lane);
  }, WATCH_PERIOD_MS);
}

const processCpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const residentMiB = (): number => process.memoryUsage.rss() / (1024 * 1024);
