import type { Log } from './http/log.ts';

/** Repeats `work`, never twice at once; returns how to stop, which waits for what runs. `stopping` is aborted then. */
export function every(
  intervalMs: number,
  work: (stopping: AbortSignal) => Promise<void>,
  log: Log,
): () => Promise<void> {
  const stop = new AbortController();
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= work(stop.signal)
      .catch((error) => log.error({ err: error }, 'periodic work failed'))
      .finally(() => {
        running = null;
      });
  }, intervalMs);
  return async () => {
    clearInterval(timer);
    stop.abort();
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
