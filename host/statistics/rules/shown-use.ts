/** Use of one release on one day, or of several together. */
export interface UseCell {
  /** Null: of several releases. */
  releaseId: string | null;
  operators: number;
  invocations: number;
  faults: number;
  durations: number[];
}

/**
 * What of a day's use may be told, release by release, without telling what single operators did: a release that fewer than `operatorsMin`
 * ran is told together with the others of that kind, and with the smallest that enough ran. Nothing is told where too few ran the plugin
 * at all. What is told of a day is told in the same parts in whatever range it is asked for: the difference of two answers is made of
 * whole parts again.
 */
export function shownUse(plugin: { operators: number }, releases: UseCell[], operatorsMin: number): UseCell[] {
  if (plugin.operators < operatorsMin) return [];
  const used = releases.filter(({ invocations }) => invocations > 0);
  const small = used.filter(({ operators }) => operators < operatorsMin);
  const large = used
    .filter(({ operators }) => operators >= operatorsMin)
    .sort((a, b) => a.operators - b.operators || a.invocations - b.invocations);
  if (small.length === 0) return large;
  const together = [...small, ...large.splice(0, 1)];
  return [...large, together.length === 1 ? { ...together[0]!, releaseId: null } : together.reduce(addCells)];
}

/** Element by element; the shorter one is as if it ended in zeros. */
export const addDurations = (one: number[], other: number[]): number[] =>
  Array.from({ length: Math.max(one.length, other.length) }, (_, at) => (one[at] ?? 0) + (other[at] ?? 0));

function addCells(one: UseCell, other: UseCell): UseCell {
  return {
    releaseId: null,
    operators: Math.max(one.operators, other.operators),
    invocations: one.invocations + other.invocations,
    faults: one.faults + other.faults,
    durations: addDurations(one.durations, other.durations),
  };
}
