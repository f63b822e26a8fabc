const FIRST_MS = 100;
const LAST_MS = 10_000;
/** Failures that are further apart than this have nothing to do with each other. */
const FORGET_AFTER_MS = 60_000;

/** How long to wait before something that failed is tried again: doubled with every failure, up to ten seconds. */
export class BackOff {
  readonly #nowMs: () => number;
  #failures = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;

  /** `nowMs` is any clock that does not go back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Notes what has worked since `sinceMs`: where that is after the last failure, the next one is the first again. */
  succeed(sinceMs: number): void {
    if (sinceMs > this.#failedAtMs) this.#failures = 0;
  }

  /** Notes a failure; returns the milliseconds to wait. */
  fail(): number {
    const nowMs = this.#nowMs();
    if (nowMs - this.#failedAtMs > FORGET_AFTER_MS) this.#failures = 0;
    this.#failedAtMs = nowMs;
    this.#failures++;
    return Math.min(LAST_MS, FIRST_MS * 2 ** (this.#failures - 1));
  }
}
