/** From how many strikes on an installation runs alone, from how many not at all, and how fast a strike is forgotten. */
export interface ConductRules {
  solitaryAt: number;
  /** At least `solitaryAt`. */
  suspendAt: number;
  halfLifeMs: number;
}

export interface Standing {
  /** The score as it was at `scoredAtMs`. */
  score: number;
  scoredAtMs: number;
  strikes: number;
  solitarySinceMs: number | null;
  suspendedAtMs: number | null;
}

/** What a strike led to. */
export type Verdict = 'counted' | 'solitary' | 'suspended';

export const cleanStanding = (atMs: number): Standing => ({
  score: 0,
  scoredAtMs: atMs,
  strikes: 0,
  solitarySinceMs: null,
  suspendedAtMs: null,
});

/** Exponential decay. A clock that went backwards forgets nothing, and adds nothing. */
export const scoreAt = (
  { score, scoredAtMs }: Pick<Standing, 'score' | 'scoredAtMs'>,
  atMs: number,
  { halfLifeMs }: Pick<ConductRules, 'halfLifeMs'>,
): number => score * 2 ** -(Math.max(0, atMs - scoredAtMs) / halfLifeMs);

/**
 * N strikes are reached when the score rounds to N: strikes that follow each other within minutes have decayed a little
 * already, and the Nth of them must count as the Nth.
 */
const reaches = (score: number, strikes: number): boolean => Math.round(score) >= strikes;

/** One strike more. An installation that is suspended collects those of its last invocations, to no further effect. */
export function strike(before: Standing, atMs: number, rules: ConductRules): { standing: Standing; verdict: Verdict } {
  const score = scoreAt(before, atMs, rules) + 1;
  const isSolitary = before.solitarySinceMs !== null;
  const isSuspended = before.suspendedAtMs !== null;
  const becomesSolitary = !isSolitary && reaches(score, rules.solitaryAt);
  const becomesSuspended = !isSuspended && reaches(score, rules.suspendAt);
  const standing: Standing = {
    score,
    // Not the later of the two: a clock that was far ahead once must not stop the decay until it is reached again.
    scoredAtMs: atMs,
    strikes: before.strikes + 1,
    solitarySinceMs: becomesSolitary ? atMs : before.solitarySinceMs,
    suspendedAtMs: becomesSuspended ? atMs : before.suspendedAtMs,
  };
  if (becomesSuspended) return { standing, verdict: 'suspended' };
  return { standing, verdict: becomesSolitary && !isSuspended ? 'solitary' : 'counted' };
}

/**
 * Whether it may share a cordon again: its score is below half of what made it solitary, and it has been alone for a
 * half-life. The second half matters after a suspension only, where the score starts from zero.
 */
export function mayLeaveSolitary(standing: Standing, atMs: number, rules: ConductRules): boolean {
  const { solitarySinceMs, suspendedAtMs } = standing;
  if (solitarySinceMs === null || suspendedAtMs !== null) return false;
  const aloneMs = atMs - solitarySinceMs;
  // A start in the future was noted by a clock that was wrong.
  const longEnough = aloneMs >= rules.halfLifeMs || aloneMs < 0;
  return longEnough && scoreAt(standing, atMs, rules) < rules.solitaryAt / 2;
}

/** Ends a suspension: the score starts from zero, and the installation runs alone until it has shown that it can. */
export const resume = (standing: Standing, atMs: number): Standing => ({
  ...standing,
  score: 0,
  scoredAtMs: atMs,
  solitarySinceMs: atMs,
  suspendedAtMs: null,
});
