import type { Culprit } from '../../sandbox/index.ts';

/** How an installation behaves in the sandbox, as its operator sees it. */
export interface Conduct {
  /** Its strikes, each worth half as much after every half-life. */
  score: number;
  /** All strikes there ever were. */
  strikes: number;
  /** ISO 8601; since when it runs in a cordon of its own, or null. */
  solitarySince: string | null;
  /** ISO 8601; since when it is not run at all, or null. */
  suspendedAt: string | null;
  /** Why it is solitary or suspended: a sentence without anything that the plugin wrote. */
  reason: string | null;
}

export const GOOD_CONDUCT: Conduct = Object.freeze({
  score: 0,
  strikes: 0,
  solitarySince: null,
  suspendedAt: null,
  reason: null,
});

/** A cordon died of one invocation of an installation. */
export interface Strike extends Culprit {
  atMs: number;
  /** Killed because it could not be interrupted, or aborted by itself. */
  death: string;
  /** Exit code or signal, as the operating system told it. */
  exit: string;
}

/** How many installations are solitary and not suspended, and how many are suspended. */
export interface ConductCounts {
  solitary: number;
  suspended: number;
}

/** Ids of installations that are solitary and not suspended, and of those that are suspended. */
export interface Confined {
  solitary: string[];
  suspended: string[];
}
