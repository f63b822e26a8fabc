import type { Redis, RedisOptions } from 'ioredis';
import type { Log } from './http/log.ts';

export type { Redis } from 'ioredis';

/** Redis cannot be used. The message is one sentence for the person who runs Gatehouse. */
export class RedisUnavailable extends Error {
  override name = 'RedisUnavailable';
}

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * A connection to Redis that is made again when it is lost, and whose commands wait for that. Refuses with: RedisUnavailable where
 * the server does not answer at first.
 */
export async function openRedis(url: string, log: Log): Promise<Redis> {
  const redis = await connection(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Commands of workers wait for as long as it takes.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(5_000, 100 * 2 ** Math.min(times, 6)),
  });
  let failed: (error: Error) => void = () => {};
  const failure = new Promise<never>((_resolve, reject) => {
    failed = reject;
  });
  failure.catch(() => {});
  redis.on('error', (error) => {
    failed(error);
    log.warn({ err: error }, 'redis is not reachable');
  });
  try {
    await Promise.race([redis.connect(), failure]);
    await redis.ping();
    return redis;
  } catch {
    redis.disconnect();
    // The address holds a password.
    throw new RedisUnavailable('The Redis that REDIS_URL names does not answer; start it, or correct REDIS_URL.');
  }
}

const COMMAND_TIMEOUT_MS = 500;

/**
 * A connection for what can do without Redis: it is opened in passing, and a command fails at once while there is none. Says once
 * that Redis has gone, and once that it is back.
 */
export async function openPassingRedis(url: string, log: Log): Promise<Redis> {
  const redis = await connection(url, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // A server that has stopped, or a network that has, ends no connection: every command would wait for its timeout.
    socketTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(5_000, 100 * 2 ** Math.min(times, 6)),
  });
  let gone = false;
  redis.on('error', (error) => {
    if (!gone) log.warn({ err: error }, 'redis is not reachable; rate limits are counted in memory');
    gone = true;
  });
  redis.on('ready', () => {
    if (gone) log.warn({}, 'redis is back; rate limits are shared again');
    gone = false;
  });
  return redis;
}

/** The client is loaded where there is a Redis. */
async function connection(url: string, options: RedisOptions): Promise<Redis> {
  const { Redis } = await import('ioredis');
  return new Redis(url, options);
}
