import { Cron } from 'croner';
import type { Log } from '../http/log.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { isAdmissionRefusal } from '../invocations/admission.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { ScheduleStore } from './schedule-store.ts';

export interface SchedulerPorts {
  store: ScheduleStore;
  /** Null where the installation is gone or disabled meanwhile. */
  factsOf(installationId: string): Promise<InstallationFacts | null>;
  runPlugin: PluginRunner;
  nowMs(): number;
  log: Log;
}

/** Claims are kept this long: longer than two clocks may differ. */
const CLAIM_KEEP_MS = 24 * 3_600_000;
/** Runs that came due while no host was up for longer than this are left out: a plugin wants today's report, not last week's. */
const CATCH_UP_MS = 60_000;

/**
 * Runs what has come due since the last call, each run on exactly one host. Resolves when those runs have ended; a fault of
 * a plugin, or that it had no CPU time left, is in its log. `tick` never rejects.
 */
export function createScheduler({ store, factsOf, runPlugin, nowMs, log }: SchedulerPorts): { tick(): Promise<void> } {
  let doneUntilMs = nowMs();

  const run = async (installationId: string, name: string, dueAtMs: number) => {
    if (!(await store.claim(installationId, name, dueAtMs))) return;
    const installation = await factsOf(installationId);
    if (installation === null) return;
    const job = { kind: 'schedule', name, dueAt: new Date(dueAtMs).toISOString() } as const;
    await runPlugin(installation, job, { caller: null }).catch((error) => {
      if (!(error instanceof PluginFaultError || isAdmissionRefusal(error))) throw error;
    });
  };

  return {
    tick: async () => {
      const fromMs = Math.max(doneUntilMs, nowMs() - CATCH_UP_MS);
      const untilMs = nowMs();
      doneUntilMs = untilMs;
      try {
        const scheduled = await store.scheduled();
        const due = scheduled.flatMap(({ installationId, schedule }) =>
          schedule.flatMap(({ name, cron }) =>
            dueTimes(cron, fromMs, untilMs).map((dueAtMs) => run(installationId, name, dueAtMs)),
          ),
        );
        for (const ended of await Promise.allSettled(due)) {
          if (ended.status === 'rejected') log.error({ err: ended.reason }, 'scheduled run failed');
        }
        await store.forget(untilMs - CLAIM_KEEP_MS);
      } catch (error) {
        log.error({ err: error }, 'schedules not read');
      }
    },
  };
}

/** Times after `fromMs` and up to `untilMs` that a pattern names, in UTC. */
export function dueTimes(cron: string, fromMs: number, untilMs: number): number[] {
  const pattern = new Cron(cron, { timezone: 'UTC', paused: true });
  const times: number[] = [];
  for (let next = pattern.nextRun(new Date(fromMs)); next && next.getTime() <= untilMs; next = pattern.nextRun(next)) {
    times.push(next.getTime());
  }
  return times;
}
