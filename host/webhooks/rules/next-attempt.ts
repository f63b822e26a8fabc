/** How often an event is sent before it is dead. With the waits below that takes between 13 and 27 hours. */
export const ATTEMPTS_MAX = 12;

const FIRST_WAIT_MS = 10_000;
const GROWTH = 3;
const WAIT_MS_MAX = 6 * 3_600_000;

/**
 * Milliseconds until the next attempt, where `attempts` have failed; null: never. Grows threefold from ten seconds to six hours, of
 * which `random` (0 to 1) takes up to a half, so that those who failed together do not come back together.
 */
export function waitMs(attempts: number, random: number): number | null {
  if (attempts >= ATTEMPTS_MAX) return null;
  const whole = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * GROWTH ** (attempts - 1));
  return Math.round(whole * (1 - random / 2));
}

/** For so long an endpoint may fail at everything before it is paused. */
export const PAUSE_AFTER_MS = 3 * 24 * 3_600_000;

export const mustPause = (failingSinceMs: number, nowMs: number): boolean => nowMs - failingSinceMs >= PAUSE_AFTER_MS;
