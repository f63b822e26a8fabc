import type { PluginFault } from '../contract/index.ts';
import type { Recording } from '../contract/recording.ts';

export type RecordedOutcome = Recording['outcome'];
export type RecordedLog = Recording['logs'][number];
export interface ReplayedCall {
  name: string;
  args: string;
}

/** Where a replay first goes another way than what was recorded. */
export type Divergence =
  /** `expected` is null where no more calls were recorded, `got` where the plugin answered instead of calling. */
  | { kind: 'call'; seq: number; expected: ReplayedCall | null; got: ReplayedCall | null }
  /** `at` is the first UTF-16 unit of both texts that differs. */
  | { kind: 'output'; at: number; expected: string; got: string }
  | { kind: 'outcome'; expected: RecordedOutcome; got: RecordedOutcome }
  | { kind: 'log'; index: number; expected: RecordedLog | null; got: RecordedLog | null };

/** How much was used of a limit depends on the machine; everything else of a fault does not. */
function comparable(fault: PluginFault, sameCode: boolean): string {
  const { code, name, message, stack, limit, lastHostCall } = fault;
  if (limit !== undefined) return JSON.stringify({ code, limit });
  return JSON.stringify(sameCode ? { code, name, message, stack, lastHostCall } : { code, name, message });
}

/**
 * The first difference of two outcomes; null where they are the same bytes. `sameCode`: the places in stacks must be the same
 * as well.
 */
export function compareOutcomes(expected: RecordedOutcome, got: RecordedOutcome, sameCode: boolean): Divergence | null {
  if (expected.status === 'completed' && got.status === 'completed') {
    if (expected.output === got.output) return null;
    return {
      kind: 'output',
      at: firstDifference(expected.output, got.output),
      expected: expected.output,
      got: got.output,
    };
  }
  if (expected.status === 'faulted' && got.status === 'faulted') {
    if (comparable(expected.fault, sameCode) === comparable(got.fault, sameCode)) return null;
  }
  return { kind: 'outcome', expected, got };
}

export function compareLogs(expected: RecordedLog[], got: RecordedLog[]): Divergence | null {
  const longest = Math.max(expected.length, got.length);
  for (let index = 0; index < longest; index++) {
    const [one, other] = [expected[index] ?? null, got[index] ?? null];
    const same = one && other && one.source === other.source && one.level === other.level && one.json === other.json;
    if (!same) return { kind: 'log', index, expected: one, got: other };
  }
  return null;
}

function firstDifference(one: string, other: string): number {
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at++) if (one[at] !== other[at]) return at;
  return shorter;
}
