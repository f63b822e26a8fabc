import { Cron } from 'croner';
import { SandboxRefusal } from '../../sandbox/index.ts';
import type { Log } from '../http/log.ts';
import type { InstallationFacts } from '../installations/contract.ts';
import { isAdmissionRefusal } from '../invocations/admission.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import type { DueRun, ScheduleStore } from './schedule-store.ts';

export interface SchedulerPorts {
  store: ScheduleStore;
  /** Null where the installation is gone or disabled meanwhile. */
  factsOf(installationId: string): Promise<InstallationFacts | null>;
  runPlugin: PluginRunner;
  nowMs(): number;
  log: Log;
}

export interface Scheduler {
  /** Begins what has come due, each run on exactly one host; resolves when it has begun. Never rejects, and not for two at once. */
  tick(): Promise<void>;
  /** Waits at most `drainMs` for what runs, and gives back what was refused. To be called after the last tick. Never rejects. */
  close(drainMs: number): Promise<void>;
}

/** Claims are kept this long: longer than two clocks may differ. */
const CLAIM_KEEP_MS = 24 * 3_600_000;
/** What could not be begun for longer than this after it came due is left out: a plugin wants today's report, not last week's. */
const CATCH_UP_MS = 60_000;

/**
 * Every look takes in all that came due within CATCH_UP_MS, and claims tell what was begun: so a run that this host could not begin
 * is begun at a later look, by it or by another one. A fault of a plugin is in its log.
 */
export function createScheduler({ store, factsOf, runPlugin, nowMs, log }: SchedulerPorts): Scheduler {
  let lookedAtMs = nowMs();
  /** The look before the one that first found a job, in ms since 1970: what came due until then was not its to run. */
  let jobsSinceMs = new Map<string, number>();
  /** Of those claimed here nothing ran. */
  const refused: DueRun[] = [];
  const running = new Set<Promise<void>>();

  const run = async (due: DueRun) => {
    const { installationId, name, dueAtMs } = due;
    const installation = await factsOf(installationId).catch((error) => {
      refused.push(due);
      throw error;
    });
    if (installation === null) return;
    const job = { kind: 'schedule', name, dueAt: new Date(dueAtMs).toISOString() } as const;
    await runPlugin(installation, job, { caller: null }).catch((error) => {
      if (isFull(error)) refused.push(due);
      else if (!(error instanceof PluginFaultError)) throw error;
    });
  };
  const begin = (due: DueRun) => {
    const ended = run(due)
      .catch((error) => log.error({ err: error, ...due }, 'scheduled run failed'))
      .finally(() => running.delete(ended));
    running.add(ended);
  };
  const giveBack = async () => {
    // Forgotten first: where the answer of the database is lost, somebody else may have claimed them, and runs them.
    await store.giveBack(refused.splice(0));
  };
  const look = async () => {
    const untilMs = nowMs();
    const sinceMs = new Map<string, number>();
    const due: DueRun[] = [];
    for (const { installationId, schedule } of await store.scheduled()) {
      for (const { name, cron } of schedule) {
        const job = `${installationId} ${name} ${cron}`;
        const fromMs = jobsSinceMs.get(job) ?? lookedAtMs;
        sinceMs.set(job, fromMs);
        for (const dueAtMs of dueTimes(cron, Math.max(fromMs, untilMs - CATCH_UP_MS), untilMs)) {
          due.push({ installationId, name, dueAtMs });
        }
      }
    }
    await giveBack();
    for (const claimed of await store.claim(due)) begin(claimed);
    jobsSinceMs = sinceMs;
    lookedAtMs = untilMs;
    await store.forget(untilMs - CLAIM_KEEP_MS);
  };

  return {
    tick: () => look().catch((error) => log.error({ err: error }, 'schedules not read')),
    close: async (drainMs) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, drainMs);
      });
      await Promise.race([Promise.allSettled(running), late]);
      clearTimeout(timer);
      await giveBack().catch((error) => log.error({ err: error }, 'scheduled runs not given back'));
    },
  };
}

/** Nothing of it ran, and a moment later there may be room for it. */
const isFull = (error: unknown): boolean =>
  isAdmissionRefusal(error) || (error instanceof SandboxRefusal && error.code === 'sandbox-saturated');

/** Times after `fromMs` and up to `untilMs` that a pattern names, in UTC. */
export function dueTimes(cron: string, fromMs: number, untilMs: number): number[] {
  const pattern = new Cron(cron, { timezone: 'UTC', paused: true });
  const times: number[] = [];
  for (let next = pattern.nextRun(new Date(fromMs)); next && next.getTime() <= untilMs; next = pattern.nextRun(next)) {
    times.push(next.getTime());
  }
  return times;
}
