import type { Log } from './http/log.ts';

/** Repeats `work`, never twice at once; returns how to stop, which waits for what runs. */
export function every(intervalMs: number, work: () => Promise<void>, log: Log): () => Promise<void> {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= work()
      .catch((error) => log.error({ err: error }, 'periodic work failed'))
      .finally(() => {
        running = null;
      });
  }, intervalMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** Does `work` when it is first asked for, and that is all. */
export function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => {
    running ??= work();
    return running;
  };
}
