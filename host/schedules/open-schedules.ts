import type { Knex } from 'knex';
import type { Log } from '../http/log.ts';
import type { InstallationCache } from '../installations/installation-cache.ts';
import type { InstallationStore } from '../installations/installation-store.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import { every } from '../repeat-work.ts';
import { createScheduler } from './run-schedules.ts';
import { scheduleStore } from './schedule-store.ts';

const INTERVAL_MS = 5_000;

/** Runs what is due by the schedules of plugins; returns how to stop, which waits at most `drainMs` for what runs. */
export function openSchedules(ports: {
  system: Knex;
  store: Pick<InstallationStore, 'byId'>;
  cache: Pick<InstallationCache, 'withRelease'>;
  runPlugin: PluginRunner;
  drainMs: number;
  nowMs: () => number;
  log: Log;
}): () => Promise<void> {
  const { system, store, cache, runPlugin, drainMs, nowMs, log } = ports;
  const scheduler = createScheduler({
    store: scheduleStore(system),
    factsOf: async (id) => {
      const installation = await store.byId(id);
      const runs = installation?.enabled && installation.conduct.suspendedAt === null;
      return runs ? cache.withRelease(installation) : null;
    },
    runPlugin,
    nowMs,
    log,
  });
  const stop = every(INTERVAL_MS, scheduler.tick, log);
  return async () => {
    await stop();
    await scheduler.close(drainMs);
  };
}
