const WAITING_PER_ORGANISATION_MAX = 8;
const WAITING_MAX = 500;

export interface News {
  /**
   * Waits for news, at most `waitMs`, until `signal` says otherwise. False where nobody should wait any longer: as many wait as may, or
   * the host is closing.
   */
  wait(organisationId: string, waitMs: number, signal?: AbortSignal): Promise<boolean>;
  /** There may be new events, of whichever organisation. */
  tell(): void;
  /** Ends every wait; whoever comes later does not wait. */
  close(): void;
}

/** Wakes those who wait for events, within bounds for each organisation and in all. */
export function createNews(): News {
  const waiting = new Set<(goOn: boolean) => void>();
  const counts = new Map<string, number>();
  let isClosed = false;
  const wake = (goOn: boolean) => {
    for (const end of [...waiting]) end(goOn);
  };
  return {
    wait: (organisationId, waitMs, signal) => {
      const count = counts.get(organisationId) ?? 0;
      const isFull = count >= WAITING_PER_ORGANISATION_MAX || waiting.size >= WAITING_MAX;
      if (isClosed || isFull || signal?.aborted) return Promise.resolve(false);
      counts.set(organisationId, count + 1);
      return new Promise((resolve) => {
        const end = (goOn: boolean) => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          waiting.delete(end);
          const left = counts.get(organisationId)! - 1;
          if (left === 0) counts.delete(organisationId);
          else counts.set(organisationId, left);
          resolve(goOn);
        };
        const abort = () => end(false);
        const timer = setTimeout(end, waitMs, true);
        waiting.add(end);
        signal?.addEventListener('abort', abort, { once: true });
      });
    },
    tell: () => wake(true),
    close: () => {
      isClosed = true;
      wake(false);
    },
  };
}
