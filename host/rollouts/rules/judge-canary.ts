import { bernoulliBounds } from './bernoulli-bounds.ts';
import { countAbove, edgeMs, quantileBucket } from './latency-buckets.ts';

/** What one release answered while a canary ran. */
export interface ArmSample {
  calls: number;
  /** Calls that ended with a fault of the plugin, or with a status of 500 and above. */
  errors: number;
  /** Calls that were answered well, by bucket of their duration; see latency-buckets.ts. */
  durations: readonly number[];
}

export interface CanaryFacts {
  stable: ArmSample;
  canary: ArmSample;
  startedAtMs: number;
  nowMs: number;
  /** After this long it is promoted; null: only by the operator. */
  promoteAfterMs: number | null;
  /** What the two are called in reasons. */
  names?: ArmNames;
}

export interface ArmNames {
  canary: string;
  stable: string;
}

const NAMES: ArmNames = { canary: 'the canary', stable: 'the stable release' };

export interface CanaryRules {
  /** Calls of a release below which nothing is concluded from them. */
  callsMin: number;
  /** Difference of error rates that is tolerated: 0.005 is half a percentage point. */
  errorMargin: number;
  /** Difference of the shares of slow calls that is tolerated. */
  slowMargin: number;
  /** A call is slow from so many times the stable release's 95th percentile on, … */
  slowFactor: number;
  /** … and at least so many milliseconds above it. */
  slowMarginMs: number;
  /** The error rate that is too high where the stable release has too few calls to compare with. */
  errorRateMax: number;
  /** A canary with fewer than `callsMin` calls is promoted after so many times its period, if no call failed. */
  patience: number;
}

export const CANARY_RULES: CanaryRules = Object.freeze({
  callsMin: 20,
  errorMargin: 0.005,
  slowMargin: 0.05,
  slowFactor: 1.6,
  slowMarginMs: 10,
  errorRateMax: 0.5,
  patience: 4,
});

export type CanaryVerdict =
  | { verdict: 'wait'; reason: string }
  | { verdict: 'roll-back'; cause: 'errors' | 'latency'; reason: string }
  | { verdict: 'promote'; reason: string };

/**
 * Whether a canary goes on, is worse than the stable release, or takes over. May be asked as often as one likes: the bounds
 * hold at every look at once, so asking often makes no false alarm likelier (below 1 % over a canary's whole life).
 */
export function judgeCanary(facts: CanaryFacts, rules: CanaryRules = CANARY_RULES): CanaryVerdict {
  return erring(facts, rules) ?? slowing(facts, rules) ?? timely(facts, rules);
}

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

function erring({ stable, canary, names = NAMES }: CanaryFacts, { callsMin, errorMargin, errorRateMax }: CanaryRules) {
  if (canary.calls < callsMin) return null;
  const least = bernoulliBounds(canary.errors, canary.calls).lower;
  const failed = `${canary.errors} of ${canary.calls} calls of ${names.canary} failed`;
  const compares = stable.calls >= callsMin;
  const most = compares ? bernoulliBounds(stable.errors, stable.calls).upper + errorMargin : errorRateMax;
  if (least <= most) return null;
  const against = compares
    ? `against ${stable.errors} of ${stable.calls} of ${names.stable}: at least ${percent(least)} against at most ${percent(most)}`
    : `and there are too few calls of ${names.stable} to compare with: at least ${percent(least)} fail`;
  return { verdict: 'roll-back', cause: 'errors', reason: `${failed}, ${against}.` } as const;
}

function slowing({ stable, canary, names = NAMES }: CanaryFacts, rules: CanaryRules) {
  const [mine, theirs] = [wellAnswered(canary), wellAnswered(stable)];
  if (mine < rules.callsMin || theirs < rules.callsMin) return null;
  const usualMs = edgeMs(quantileBucket(stable.durations, 0.95));
  const limitMs = Math.max(usualMs * rules.slowFactor, usualMs + rules.slowMarginMs);
  const [slow, usual] = [countAbove(canary.durations, limitMs), countAbove(stable.durations, limitMs)];
  const least = bernoulliBounds(slow, mine).lower;
  const most = bernoulliBounds(usual, theirs).upper + rules.slowMargin;
  if (least <= most) return null;
  const reason =
    `${slow} of ${mine} calls of ${names.canary} took longer than ${Math.round(limitMs)} ms, against ${usual} of ${theirs} of ` +
    `${names.stable}, of which 95 % take at most ${Math.round(usualMs)} ms: at least ${percent(least)} against at most ${percent(most)}.`;
  return { verdict: 'roll-back', cause: 'latency', reason } as const;
}

const wellAnswered = ({ calls, errors }: ArmSample): number => calls - errors;

function timely(facts: CanaryFacts, { callsMin, patience }: CanaryRules): CanaryVerdict {
  const { canary, startedAtMs, nowMs, promoteAfterMs, names = NAMES } = facts;
  const seen = `${canary.calls} calls of ${names.canary}, of which ${canary.errors} failed`;
  if (promoteAfterMs === null) return { verdict: 'wait', reason: `${seen}; it waits for its operator.` };
  const agedMs = nowMs - startedAtMs;
  if (agedMs < promoteAfterMs) return { verdict: 'wait', reason: `${seen}; its time is not over.` };
  if (canary.calls >= callsMin) return { verdict: 'promote', reason: `It was no worse than ${names.stable}: ${seen}.` };
  if (agedMs < promoteAfterMs * patience || canary.errors > 0) {
    return { verdict: 'wait', reason: `${seen}; at least ${callsMin} are needed.` };
  }
  return { verdict: 'promote', reason: `Hardly anybody called, and nothing failed: ${seen}.` };
}
