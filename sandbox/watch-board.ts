/**
 * Memory that the lanes of a cordon share with its main thread: until when each lane's turn must have ended, how large its
 * isolate may be, and whether the lane is ready. Plain stores of aligned 8-byte numbers are enough: one writer each, and
 * the watchdog looks again before it acts.
 */
const FIELDS = 3;

export interface WatchBoard {
  buffer: SharedArrayBuffer;
  lanes: number;
  /** `mustEndByMs` on the monotonic clock. */
  enter(lane: number, mustEndByMs: number, heapMiB: number): void;
  leave(lane: number): void;
  /** 0 outside of a turn. */
  mustEndByMs(lane: number): number;
  heapMiB(lane: number): number;
  setReady(lane: number): void;
  isReady(lane: number): boolean;
}

export function watchBoard(lanes: number, shared?: SharedArrayBuffer): WatchBoard {
  const buffer = shared ?? new SharedArrayBuffer(lanes * FIELDS * 8);
  const fields = new Float64Array(buffer);
  return {
    buffer,
    lanes,
    enter(lane, mustEndByMs, heapMiB) {
      fields[lane * FIELDS + 1] = heapMiB;
      fields[lane * FIELDS] = mustEndByMs;
    },
    leave(lane) {
      fields[lane * FIELDS] = 0;
    },
    mustEndByMs: (lane) => fields[lane * FIELDS]!,
    heapMiB: (lane) => fields[lane * FIELDS + 1]!,
    setReady(lane) {
      fields[lane * FIELDS + 2] = 1;
    },
    isReady: (lane) => fields[lane * FIELDS + 2] === 1,
  };
}
