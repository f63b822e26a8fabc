/**
 * How much an invocation on a lane counts when the next one is placed: 1 where invocations take HEAVY_CPU_MS or more, less
 * where they are light. Light ones of one installation then share a lane and its frames instead of being spread over
 * processes that wake each other up: two cordons for one installation cost 12 of 85 us of CPU per request.
 */
const HEAVY_CPU_MS = 0.5;
/** A lane that has said nothing for so long is inside somebody's long turn: nothing on it is light. */
const SILENT_MS = 5;
/** The past is forgotten by this part with each invocation that ends. */
const FORGETTING = 1 / 16;

export interface LanePace {
  /** The lane said something; `endedCpuMs` is what an invocation cost that ended with it. */
  heard(nowMs: number, endedCpuMs?: number): void;
  /** What `runs` invocations on the lane count. */
  load(runs: number, nowMs: number): number;
}

export function createLanePace(): LanePace {
  let weight = 1;
  let heardAtMs = Number.NEGATIVE_INFINITY;
  return {
    heard: (nowMs, endedCpuMs) => {
      heardAtMs = nowMs;
      if (endedCpuMs === undefined) return;
      const last = Math.min(1, endedCpuMs / HEAVY_CPU_MS);
      // Up at once and down slowly: one heavy invocation is reason enough to look for another lane.
      weight = last > weight ? last : weight + (last - weight) * FORGETTING;
    },
    load: (runs, nowMs) => (nowMs - heardAtMs > SILENT_MS ? runs : runs * weight),
  };
}
