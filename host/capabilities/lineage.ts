import { CALL_DEPTH_MAX } from '../../plugins-sdk/contract/index.ts';
import { CapabilityError } from './capability-error.ts';

/** What led to an invocation: calls and events of plugins. */
export interface Lineage {
  /** How many calls and events followed from one another; 0 for what somebody from outside began. */
  depth: number;
  /** Ids of the installations that wait for this invocation, outermost first. */
  waiting: readonly string[];
}

export const FIRST: Lineage = Object.freeze({ depth: 0, waiting: Object.freeze([]) });

/** One level further, where `waits` waits for the answer. Refuses with: call-depth-exceeded. */
export function further({ depth, waiting }: Lineage, waits: string | null): Lineage {
  if (depth >= CALL_DEPTH_MAX) {
    throw new CapabilityError(
      'call-depth-exceeded',
      `${depth} calls and events have followed from one another; ${CALL_DEPTH_MAX} may.`,
    );
  }
  return { depth: depth + 1, waiting: waits === null ? [] : [...waiting, waits] };
}
