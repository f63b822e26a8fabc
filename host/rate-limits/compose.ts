import type { Log } from '../http/log.ts';
import { openPassingRedis } from '../redis.ts';
import type { RateLimits, RunLimits } from './contract.ts';
import { countAttempts } from './count-attempts.ts';
import type { LimitName, RateLimitTable } from './rules/limits.ts';
import { createRunLimits } from './run-limits.ts';

export interface RateLimitSettings {
  limits: RateLimitTable;
  /** Null: every host counts for itself. */
  redisUrl: string | null;
  onLimited(name: LimitName): void;
  log: Log;
}

/** The limits of the API and those of the data plane. */
export function openRateLimits({ limits, redisUrl, onLimited, log }: RateLimitSettings) {
  const redis = redisUrl === null ? null : openPassingRedis(redisUrl, log);
  const rateLimits: RateLimits = countAttempts({ limits, redis, onLimited });
  const runLimits: RunLimits = createRunLimits({ limits, onLimited });
  return { rateLimits, runLimits, close: async () => redis?.disconnect() };
}
