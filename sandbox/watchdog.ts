import { type MarkReason, markBlackBox } from './black-box.ts';
import { monotonicMs } from './clock.ts';
import { OVERDUE_GRACE_MS } from './limits.ts';
import type { WatchBoard, WatchedTurn } from './watch-board.ts';

export const WATCH_PERIOD_MS = 25;
/** Whoever was not interrupted and has surely used so much of its CPU budget need not be waited for as long as others. */
const PROOF_FACTOR = 2;
const PROVEN_GRACE_MS = 75;
const GARBAGE_MS_PER_MIB = 1;
/** Memory that a cordon may gain during one turn: the isolate's limit is soft (2-3x), and some memory it does not count. */
const GROWTH_FACTOR = 3;
const GROWTH_SLACK_MIB = 256;
/** Without a turn the size is looked at once in so many looks: nothing grows then. */
const QUIET_LOOKS = 10;

/** Kills the process that it runs in, without unwinding anything: a lane that spins could not be joined. */
export function killSelf(blackBoxFd: number, lane: number, reason: MarkReason, cpuMs = 0): void {
  markBlackBox(blackBoxFd, lane, reason, cpuMs);
  process.kill(process.pid, 'SIGKILL');
}

/**
 * `cpuMs`: what the process has used during the turn, on all its threads; `surelyMs`: what the turn's own thread must have used of that.
 * The watchdog looks early enough to kill in time.
 */
export function isOverdue(
  { mustEndByMs, cpuLeftMs, deadlineMs, heapMiB }: WatchedTurn,
  nowMs: number,
  cpuMs: number,
  surelyMs = 0,
): boolean {
  const latestMs = nowMs - OVERDUE_GRACE_MS + WATCH_PERIOD_MS;
  // It ran all the time, so a loop would have been interrupted by now, and a collection of garbage would be over.
  const isProven =
    surelyMs > PROOF_FACTOR * cpuLeftMs && nowMs > mustEndByMs + PROVEN_GRACE_MS + heapMiB * GARBAGE_MS_PER_MIB;
  if (isProven) return true;
  return latestMs > mustEndByMs && (cpuMs > cpuLeftMs || latestMs > deadlineMs);
}

/** What the watchdog can measure of its own process. */
export interface WatchPorts {
  nowMs(): number;
  /** CPU time of all threads. */
  cpuMs(): number;
  residentMiB(): number;
  residentMiBMax: number;
}

/** Why the cordon must die now, and which lane's turn is to blame; for some reasons the lane says nothing. */
export interface Verdict {
  reason: MarkReason;
  lane: number;
  cpuMs: number;
}

interface Seen {
  mustEndByMs: number;
  seenAtMs: number;
  cpuMs: number;
  /** Size of the process before the turn, as far as that is known. */
  residentMiB: number;
  /** Turns that all lanes had entered. */
  entered: number;
  overdue: boolean;
}

/**
 * Watches the lanes from the main thread, which never runs plugin code. The cordon must die for an overdue turn that is late by
 * OVERDUE_GRACE_MS, or less where it has surely run all the time, in two looks (so that a process that was stopped and goes on is not taken for a lane that hangs) and has
 * broken a limit (a busy machine may only not have let it run, and then nobody could be blamed), when the process grows
 * during a turn far beyond what the isolate may hold, and when it is larger than it may be.
 */
export function createWatch(board: WatchBoard, { nowMs, cpuMs, residentMiB, residentMiBMax }: WatchPorts) {
  const seen: (Seen | null)[] = Array.from({ length: board.lanes }, () => null);
  let sizeMiB = residentMiB();
  /** Turns that had been entered when the size was read. */
  let sizedAt = 0;
  let quietLooks = QUIET_LOOKS;

  const lanesInside = () => seen.flatMap((_, lane) => (board.mustEndByMs(lane) === 0 ? [] : [lane]));
  const enteredByAll = () => seen.reduce((sum, _, lane) => sum + board.entered(lane), 0);

  /** Growth has no name on it: it is the turn's own only if no other lane has been inside one since. */
  const whoGrew = (inside: number[]): Pick<Verdict, 'reason' | 'lane'> => {
    const [only] = inside;
    if (inside.length !== 1 || seen[only!]!.entered !== enteredByAll()) return { reason: 'crowded', lane: 0 };
    return { reason: 'memory', lane: only! };
  };

  const lookAtSize = (inside: number[]): Verdict | null => {
    const grownMiB = (lane: number) => sizeMiB - seen[lane]!.residentMiB;
    const isAbnormal = (lane: number) => grownMiB(lane) > board.heapMiB(lane) * GROWTH_FACTOR + GROWTH_SLACK_MIB;
    const usedMs = (lane: number) => cpuMs() - (seen[lane]?.cpuMs ?? 0);
    if (inside.some(isAbnormal)) {
      const { reason, lane } = whoGrew(inside);
      return { reason, lane, cpuMs: usedMs(lane) };
    }
    if (sizeMiB <= residentMiBMax) return null;
    if (!inside.some((lane) => grownMiB(lane) > board.heapMiB(lane))) return { reason: 'full', lane: 0, cpuMs: 0 };
    const { reason, lane } = whoGrew(inside);
    return { reason, lane, cpuMs: usedMs(lane) };
  };

  const lookAtTime = (lane: number): Verdict | null => {
    const last = seen[lane]!;
    const usedMs = cpuMs() - last.cpuMs;
    const { mustEndByMs } = last;
    const turn = {
      mustEndByMs,
      heapMiB: board.heapMiB(lane),
      cpuLeftMs: board.cpuLeftMs(lane),
      deadlineMs: board.deadlineMs(lane),
    };
    // Other lanes are a thread each; the rest of the process uses next to nothing.
    const surelyMs = usedMs - (board.lanes - 1) * (nowMs() - last.seenAtMs);
    if (!isOverdue(turn, nowMs(), usedMs, surelyMs)) return null;
    if (last.overdue) return { reason: 'overdue', lane, cpuMs: usedMs };
    last.overdue = true;
    return null;
  };

  /** Call it every WATCH_PERIOD_MS. Null: all is well. */
  return (): Verdict | null => {
    const inside = lanesInside();
    if (inside.length === 0 && ++quietLooks < QUIET_LOOKS) {
      seen.fill(null);
      return null;
    }
    quietLooks = 0;
    const [beforeMiB, beforeAt] = [sizeMiB, sizedAt];
    sizeMiB = residentMiB();
    sizedAt = enteredByAll();
    const late: number[] = [];
    for (let lane = 0; lane < board.lanes; lane++) {
      const mustEndByMs = inside.includes(lane) ? board.mustEndByMs(lane) : 0;
      if (mustEndByMs === 0) seen[lane] = null;
      else if (seen[lane]?.mustEndByMs === mustEndByMs) late.push(lane);
      else {
        // What has grown since the last look is this turn's doing only if it is the only one that was entered since.
        const residentMiB = sizedAt === beforeAt + 1 ? beforeMiB : sizeMiB;
        seen[lane] = { mustEndByMs, seenAtMs: nowMs(), cpuMs: cpuMs(), residentMiB, entered: sizedAt, overdue: false };
      }
    }
    const watched = inside.filter((lane) => seen[lane] !== null);
    const tooLarge = lookAtSize(watched);
    if (tooLarge) return tooLarge;
    for (const lane of late) {
      const overdue = lookAtTime(lane);
      if (overdue) return overdue;
    }
    return null;
  };
}

/** Looks at the lanes for as long as the process lives, and ends it when it must. `residentMiBMax` 0: any size will do. */
export function startWatchdog(board: WatchBoard, blackBoxFd: number, residentMiBMax: number): void {
  const look = createWatch(board, {
    nowMs: monotonicMs,
    cpuMs: processCpuMs,
    residentMiB,
    residentMiBMax: residentMiBMax || Number.POSITIVE_INFINITY,
  });
  setInterval(() => {
    const verdict = look();
    if (verdict) killSelf(blackBoxFd, verdict.lane, verdict.reason, verdict.cpuMs);
  }, WATCH_PERIOD_MS);
}

const processCpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Memory of this process. */
export const residentMiB = (): number => process.memoryUsage.rss() / (1024 * 1024);
