import { availableParallelism } from 'node:os';

/**
 * How much an invocation on a lane counts when the next one is placed: 1 where invocations take so long or longer, less
 * where they are light. Light ones of one installation then share a lane and its frames instead of being spread over
 * processes that wake each other up: two cordons for one installation cost 12 of 85 us of CPU per request. A millisecond, so that a
 * lane is shared until it has as much ahead of it as it is given at a time (lane-line.ts); twice as much where the host has no core of
 * its own beside two lanes, for then a second lane only takes from the host what both wait for.
 */
const heavyCpuMsOn = (cores: number): number => (cores > 2 ? 1 : 2);
/** A lane that has said nothing for so long is inside somebody's long turn: nothing on it is light. */
const SILENT_MS = 5;
/** The past is forgotten by this part with each invocation that ends. */
const FORGETTING = 1 / 16;
/** What counts is the second heaviest of so many: short turns are measured by the clock, and one was preempted now and then. */
const RECENT = 4;

export interface LanePace {
  /** The lane said something; `endedCpuMs` is what an invocation cost that ended with it. */
  heard(nowMs: number, endedCpuMs?: number): void;
  /** What `runs` invocations on the lane count. */
  load(runs: number, nowMs: number): number;
  /** Since it has said something. */
  quietMs(nowMs: number): number;
}

export function createLanePace(cores = availableParallelism()): LanePace {
  const heavyCpuMs = heavyCpuMsOn(cores);
  let weight = 1;
  const recent = new Float64Array(RECENT).fill(1);
  let ended = 0;
  let heardAtMs = Number.NEGATIVE_INFINITY;
  return {
    heard: (nowMs, endedCpuMs) => {
      heardAtMs = nowMs;
      if (endedCpuMs === undefined) return;
      recent[ended++ % RECENT] = Math.min(1, endedCpuMs / heavyCpuMs);
      const usual = secondLargest(recent);
      // Up at once and down slowly: two heavy invocations are reason enough to look for another lane.
      weight = usual > weight ? usual : weight + (usual - weight) * FORGETTING;
    },
    load: (runs, nowMs) => (nowMs - heardAtMs > SILENT_MS ? runs : runs * weight),
    quietMs: (nowMs) => nowMs - heardAtMs,
  };
}

function secondLargest(values: Float64Array): number {
  let first = 0;
  let second = 0;
  for (const value of values) {
    if (value > first) {
      second = first;
      first = value;
    } else if (value > second) second = value;
  }
  return second;
}
