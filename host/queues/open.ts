import type { Knex } from 'knex';
import type { QueuePorts } from '../capabilities/queue.ts';
import type { Log } from '../http/log.ts';
import { openRedis } from '../redis.ts';
import { createQueues, sendVia, startQueues } from './compose.ts';
import type { Dispatcher, Queues } from './contract.ts';
import { openDispatcher } from './dispatch-messages.ts';
import { messageStore } from './message-store.ts';
import type { RunMessagePorts } from './run-message.ts';

export interface OpenQueues extends Pick<QueuePorts, 'queue'> {
  /** What operators see and do. */
  queues(find: Parameters<typeof createQueues>[0]['find']): Queues;
  /** Begins to run messages; returns the sweep, to be called now and then. */
  start(ports: Omit<RunMessagePorts, 'store'>): { sweep(): Promise<void> };
  close(): Promise<void>;
}

const CONCURRENCY = 16;

/**
 * The queues of this host: stored in PostgreSQL, handed out by PostgreSQL too, or by Redis where there is one.
 * Refuses with: RedisUnavailable.
 */
export async function openQueues({
  system,
  scoped,
  appUrl,
  redisUrl,
  drainMs,
  log,
}: {
  /** For the host's own work. */
  system: Knex;
  /** For what operators see and do. */
  scoped: Knex;
  appUrl: string;
  redisUrl: string | null;
  drainMs: number;
  log: Log;
}): Promise<OpenQueues> {
  const store = messageStore(system);
  const redis = redisUrl === null ? null : await openRedis(redisUrl, log);
  const dispatcher: Dispatcher = await openDispatcher({
    on: redis ? { redis } : { appUrl },
    concurrency: CONCURRENCY,
    drainMs,
    log,
  });
  return {
    queue: { send: sendVia({ store, dispatcher, log }) },
    queues: (find) => createQueues({ store: messageStore(scoped), dispatcher, find }),
    start: (ports) => startQueues({ ...ports, store, dispatcher, log }),
    close: async () => {
      await dispatcher.close();
      redis?.disconnect();
    },
  };
}
