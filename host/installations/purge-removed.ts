import type { Log } from '../http/log.ts';
import type { InstallationStore } from './installation-store.ts';

export interface PurgePorts {
  store: Pick<InstallationStore, 'toPurge' | 'purge'>;
  log: Pick<Log, 'error'>;
  nowMs(): number;
}

/** Deletes what removed installations stored whose grace is over. What is left where that fails or is stopped goes the next time. */
export const purgeRemoved =
  ({ store, log, nowMs }: PurgePorts) =>
  async (stopping: AbortSignal): Promise<void> => {
    for (const id of await store.toPurge(nowMs())) {
      try {
        while (!stopping.aborted && (await store.purge(id, nowMs())));
      } catch (error) {
        log.error({ err: error, installationId: id }, 'what a removed installation stored is not deleted yet');
      }
    }
  };
