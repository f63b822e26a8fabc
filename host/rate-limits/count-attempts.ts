import { createHash } from 'node:crypto';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import RateLimiterRedis from 'rate-limiter-flexible/lib/RateLimiterRedis.js';
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import type { Redis } from '../redis.ts';
import type { RateLimits } from './contract.ts';
import { rateLimited } from './refuse.ts';
import type { LimitName, RateLimit, RateLimitTable } from './rules/limits.ts';

export interface RateLimitPorts {
  limits: RateLimitTable;
  /** Shared by all hosts; null: each host counts for itself. */
  redis: Redis | null;
  /** Told of every refusal. */
  onLimited(name: LimitName): void;
}

/**
 * Counts attempts in Redis, so that the hosts share the limits. While Redis does not answer, each host counts in its memory
 * instead: nobody is let in uncounted, and nothing waits for Redis.
 */
export function countAttempts({ limits, redis, onLimited }: RateLimitPorts): RateLimits {
  const counters = new Map<string, RateLimiterAbstract>();
  for (const [name, limit] of Object.entries(limits)) {
    if (limit !== null && !name.startsWith('run-')) counters.set(name, createCounter(name, limit, redis));
  }
  return {
    limit: async (name, key) => {
      try {
        await counters.get(name)?.consume(hidden(key));
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        onLimited(name);
        throw rateLimited(name, limits[name]!, error.msBeforeNext);
      }
    },
    forgive: async (name, key) => {
      await counters.get(name)?.delete(hidden(key));
    },
  };
}

function createCounter(name: string, { count, seconds }: RateLimit, redis: Redis | null): RateLimiterAbstract {
  const settings = { keyPrefix: `gatehouse:limit:${name}`, points: count, duration: seconds };
  const memory = new RateLimiterMemory(settings);
  if (redis === null) return memory;
  return new RateLimiterRedis({
    ...settings,
    storeClient: redis,
    insuranceLimiter: memory,
    rejectIfRedisNotReady: true,
  });
}

/** Addresses and names of people are nobody's business in Redis. */
const hidden = (key: string): string => createHash('sha256').update(key).digest('base64url').slice(0, 22);
