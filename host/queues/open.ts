import type { Knex } from 'knex';
import type { QueuePorts } from '../capabilities/queue.ts';
import type { Log } from '../http/log.ts';
import { openRedis } from '../redis.ts';
import { createQueues, sendVia, startQueues } from './compose.ts';
import type { Queues } from './contract.ts';
import { deferDispatcher } from './defer-dispatcher.ts';
import { messageStore } from './message-store.ts';
import type { RunMessagePorts } from './run-message.ts';

export interface OpenQueues extends Pick<QueuePorts, 'queue'> {
  /** What operators see and do. */
  queues(find: Parameters<typeof createQueues>[0]['find']): Queues;
  /** Begins to run messages, where there are any; returns the sweep, to be called now and then. */
  start(ports: Omit<RunMessagePorts, 'store'>): Promise<{ sweep(stopping: AbortSignal): Promise<void> }>;
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
  const dispatcher = deferDispatcher(async () => {
    const { openDispatcher } = await import('./dispatch-messages.ts');
    return openDispatcher({ on: redis ? { redis } : { appUrl }, concurrency: CONCURRENCY, drainMs, log });
  }, log);
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
