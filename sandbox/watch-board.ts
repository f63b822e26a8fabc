/**
 * Memory that the lanes of a cordon share with its main thread: until when each lane's turn must have ended, what it may
 * use until then, and whether the lane is ready; and a count of those that have come together. Plain stores of aligned 8-byte numbers are enough: one writer each, and
 * the watchdog looks again before it acts.
 */
const FIELDS = 6;

/** What the watchdog must know of a turn. Times are on the monotonic clock. */
export interface WatchedTurn {
  /** When the engine is to have interrupted it. */
  mustEndByMs: number;
  heapMiB: number;
  /** What is left of the invocation's CPU budget. */
  cpuLeftMs: number;
  /** When the invocation's time is over, whatever it has used. */
  deadlineMs: number;
}

export interface WatchBoard {
  buffer: SharedArrayBuffer;
  lanes: number;
  enter(lane: number, turn: WatchedTurn): void;
  leave(lane: number): void;
  /** 0 outside of a turn. */
  mustEndByMs(lane: number): number;
  /** Turns that the lane has entered. */
  entered(lane: number): number;
  heapMiB(lane: number): number;
  cpuLeftMs(lane: number): number;
  deadlineMs(lane: number): number;
  setReady(lane: number): void;
  isReady(lane: number): boolean;
  /** Blocks the thread of a lane until all lanes are here. Once only. */
  meet(): void;
}

export function watchBoard(lanes: number, shared?: SharedArrayBuffer): WatchBoard {
  const buffer = shared ?? new SharedArrayBuffer((lanes * FIELDS + 1) * 8);
  const fields = new Float64Array(buffer);
  const met = new Int32Array(buffer, lanes * FIELDS * 8, 1);
  return {
    buffer,
    lanes,
    enter(lane, { mustEndByMs, heapMiB, cpuLeftMs, deadlineMs }) {
      fields[lane * FIELDS + 1] = heapMiB;
      fields[lane * FIELDS + 3] = cpuLeftMs;
      fields[lane * FIELDS + 4] = deadlineMs;
      fields[lane * FIELDS + 5]!++;
      fields[lane * FIELDS] = mustEndByMs;
    },
    leave(lane) {
      fields[lane * FIELDS] = 0;
    },
    mustEndByMs: (lane) => fields[lane * FIELDS]!,
    entered: (lane) => fields[lane * FIELDS + 5]!,
    heapMiB: (lane) => fields[lane * FIELDS + 1]!,
    cpuLeftMs: (lane) => fields[lane * FIELDS + 3]!,
    deadlineMs: (lane) => fields[lane * FIELDS + 4]!,
    setReady(lane) {
      fields[lane * FIELDS + 2] = 1;
    },
    isReady: (lane) => fields[lane * FIELDS + 2] === 1,
    meet() {
      Atomics.add(met, 0, 1);
      Atomics.notify(met, 0);
      for (let here = Atomics.load(met, 0); here < lanes; here = Atomics.load(met, 0)) Atomics.wait(met, 0, here);
    },
  };
}
