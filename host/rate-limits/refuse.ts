import { HostRefusal } from '../errors.ts';
import type { LimitName, RateLimit } from './rules/limits.ts';

/** The refusal of an attempt that comes too early. */
export const rateLimited = (name: LimitName, { count, seconds }: RateLimit, retryAfterMs: number): HostRefusal =>
  new HostRefusal('rate-limited', `The limit ${name} is ${count} within ${seconds} seconds.`, {
    limit: name,
    allowed: count,
    perSeconds: seconds,
    retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)),
  });
