import { createPostgresBackend, DelayedError, type PostgresConnectionOptions, Queue, Worker } from 'bullmq';
import { QUEUE_NAME, QUEUE_SCHEMA } from '../../migrations/migrate-queue-schema.ts';
import type { Log } from '../http/log.ts';
import type { Redis } from '../redis.ts';
import type { Dispatcher } from './contract.ts';

export interface DispatcherPorts {
  /** What it stands on: PostgreSQL by the address of the application role, or Redis. */
  on: { appUrl: string } | { redis: Redis };
  /** Messages that this host has under way at a time. */
  concurrency: number;
  /** How long messages that run may go on when it is closed; others take up what was left after that. */
  drainMs: number;
  /** A host that says nothing for so long has lost its messages to others; 30 seconds where absent. */
  lockMs?: number;
  log: Log;
}

const LOCK_MS = 30_000;
/** After a failure of the host itself. */
const FAILED_DELAY_MS = 5_000;
const PRIORITY_MAX = 2_000_000;
const POOL_MAX = 4;

/**
 * BullMQ behind the port. Its own retries are not used: what becomes of a message is decided and stored elsewhere, and
 * here it is only handed out again at the right time. Rejects where the backend cannot be reached or lacks its schema.
 */
export async function openDispatcher(ports: DispatcherPorts): Promise<Dispatcher> {
  const { concurrency, log } = ports;
  const queue = openQueue(ports);
  queue.on('error', (error) => log.warn({ err: error }, 'queue not reachable'));
  let worker: Worker | null = null;
  const running = new Set<Promise<unknown>>();
  try {
    await queue.waitUntilReady();
  } catch (error) {
    await queue.close().catch(() => {});
    throw error;
  }
  return {
    dispatch: async ({ id, delayMs, rank }) => {
      // The same id again is ignored as long as the first is there.
      await queue.add(
        'message',
        {},
        { jobId: id, delay: Math.max(0, delayMs), priority: Math.min(rank + 1, PRIORITY_MAX) },
      );
    },
    start: (run) => {
      worker = openWorker(
        ports,
        async (job, token) => {
          const work = run(job.id!).catch((error) => {
            log.error({ err: error, messageId: job.id }, 'message not run');
            return { next: 'again', delayMs: FAILED_DELAY_MS } as const;
          });
          running.add(work);
          const verdict = await work.finally(() => running.delete(work));
          if (verdict.next === 'ended') return;
          await job.moveToDelayed(Date.now() + verdict.delayMs, token);
          throw new DelayedError();
        },
        concurrency,
      );
      worker.on('error', (error) => log.warn({ err: error }, 'queue not reachable'));
    },
    close: async () => {
      if (worker) await endWithin(ports.drainMs, worker, running);
      await queue.close();
    },
  };
}

/** Takes no more, waits for what runs, and lets go of what is left then. A close that waits cannot be told later not to. */
async function endWithin(drainMs: number, worker: Worker, running: ReadonlySet<Promise<unknown>>): Promise<void> {
  await worker.pause(true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, drainMs);
  });
  await Promise.race([Promise.allSettled(running), late]);
  clearTimeout(timer);
  await worker.close(running.size > 0);
}

const postgresOf = (appUrl: string) =>
  ({
    connectionString: appUrl,
    schema: QUEUE_SCHEMA,
    max: POOL_MAX,
    application_name: 'gatehouse-queue',
  }) as PostgresConnectionOptions;

const openQueue = ({ on }: DispatcherPorts): Pick<Queue, 'on' | 'waitUntilReady' | 'close' | 'add'> =>
  'redis' in on
    ? new Queue(QUEUE_NAME, { connection: on.redis as never, prefix: 'gatehouse' })
    : (new Queue(QUEUE_NAME, { connection: postgresOf(on.appUrl) }, createPostgresBackend) as never);

function openWorker(
  { on, lockMs = LOCK_MS }: DispatcherPorts,
  process: ConstructorParameters<typeof Worker>[1],
  concurrency: number,
): Worker {
  const options = {
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    // However often a host dies under it: whether it is tried again is not decided here.
    maxStalledCount: 1_000_000,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  };
  return 'redis' in on
    ? new Worker(QUEUE_NAME, process as never, { ...options, connection: on.redis as never, prefix: 'gatehouse' })
    : (new Worker(
        QUEUE_NAME,
        process as never,
        { ...options, connection: postgresOf(on.appUrl) },
        createPostgresBackend,
      ) as never);
}
