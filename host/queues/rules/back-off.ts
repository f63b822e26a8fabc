const FACTOR = 2;
const DELAY_MS_MAX = 6 * 3_600_000;

/** Milliseconds to wait after an attempt that failed, the first being 1: twice as long each time, at most six hours. */
export const delayAfter = (attempt: number, firstMs: number): number =>
  Math.min(DELAY_MS_MAX, firstMs * FACTOR ** (attempt - 1));
