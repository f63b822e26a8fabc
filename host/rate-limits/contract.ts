import type { LimitName } from './rules/limits.ts';

/** Counts attempts, by what is attempted and by whom. */
export interface RateLimits {
  /**
   * Counts one attempt of `key` (an address as `addressKey` gives it, or an id) before it is made. Never fails for want of Redis.
   * Refuses with: rate-limited.
   */
  limit(name: LimitName, key: string): Promise<void>;
  /** Forgets the attempts of `key`, as after one that succeeded. */
  forgive(name: LimitName, key: string): Promise<void>;
}

export type { LimitName } from './rules/limits.ts';

/** Counts requests to plugins, in memory and at once. */
export interface RunLimits {
  /** Counts one request at `nowMs` of a clock that never goes back. Refuses with: rate-limited. */
  take(name: Extract<LimitName, `run-${string}`>, key: string, nowMs: number): void;
}
