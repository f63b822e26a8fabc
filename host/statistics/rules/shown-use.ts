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

/** Calls of capabilities by one release on one day. */
export interface CapabilityCell {
  releaseId: string | null;
  capabilities: Record<string, { calls: number; refused: number; operators: number }>;
}

/**
 * The capabilities that are told with releases which are told `alone`. The plugin's own calls of each are told as well, so that what is
 * left of them was made by enough operators, too, or by none: else the release that the fewest made call it is not told with it.
 */
export function shownCapabilities(
  releases: CapabilityCell[],
  alone: ReadonlySet<string | null>,
  operatorsMin: number,
): Map<string | null, CapabilityCell['capabilities']> {
  const told = new Map(releases.map(({ releaseId }) => [releaseId, {} as CapabilityCell['capabilities']]));
  for (const name of new Set(releases.flatMap(({ capabilities }) => Object.keys(capabilities)))) {
    const calls = releases
      .flatMap(({ releaseId, capabilities: { [name]: use } }) => (use === undefined ? [] : [{ releaseId, use }]))
      .sort((a, b) => a.use.operators - b.use.operators || a.use.calls - b.use.calls);
    const enough = ({ use }: (typeof calls)[number]) => use.operators >= operatorsMin;
    const [shown, rest] = [true, false].map((isShown) =>
      calls.filter((each) => (enough(each) && alone.has(each.releaseId)) === isShown),
    ) as [typeof calls, typeof calls];
    if (rest.length > 0 && !rest.some(enough)) shown.shift();
    for (const { releaseId, use } of shown) told.get(releaseId)![name] = use;
  }
  return told;
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
