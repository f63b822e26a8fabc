import type { Log } from '../http/log.ts';
import { openPassingRedis } from '../redis.ts';
import type { RateLimits, RunLimits } from './contract.ts';
import { countAttempts } from './count-attempts.ts';
import type { LimitName, RateLimitTable } from './rules/limits.ts';
import { createRunLimits } from './run-limits.ts';

export interface RateLimitSettings {
  rateLimits: RateLimitTable;
  /** Null: every host counts for itself. */
  redisUrl: string | null;
}

/** The limits of the API and those of the data plane. */
export async function openRateLimits(
  { rateLimits: limits, redisUrl }: RateLimitSettings,
  { onLimited, log }: { onLimited(name: LimitName): void; log: Log },
) {
  const redis = redisUrl === null ? null : await openPassingRedis(redisUrl, log);
  const rateLimits: RateLimits = countAttempts({ limits, redis, onLimited });
  const runLimits: RunLimits = createRunLimits({ limits, onLimited });
  const countInstallation = (id: string) => runLimits.take('run-installation', id, performance.now());
  return { rateLimits, runLimits, countInstallation, close: async () => redis?.disconnect() };
}
