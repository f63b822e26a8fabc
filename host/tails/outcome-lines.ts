import type { Json, PluginJob } from '../../plugins-sdk/contract/index.ts';
import type { InstallationFacts, InstallationLogEntry } from '../installations/contract.ts';
import type { CompletedInvocation } from '../invocations/run-plugin.ts';
import type { LineOutcome } from './contract.ts';
import type { WatchList } from './watch-list.ts';

/** For one installation on one host. Who watches cannot read faster, and the log is no place for all of them. */
const LINES_PER_SECOND_MAX = 50;

export interface OutcomeLines {
  /** Writes a line where somebody watches; for RunnerPorts. */
  completed(installation: InstallationFacts, end: CompletedInvocation): void;
}

/** Lines about answered invocations, for as long as somebody watches; what is too much becomes a number. */
export function createOutcomeLines({
  watchList,
  record,
  nowMs,
}: {
  watchList: Pick<WatchList, 'isWatched'>;
  record(installation: InstallationFacts, entry: Omit<InstallationLogEntry, 'id'>): void;
  nowMs(): number;
}): OutcomeLines {
  const windows = new Map<string, { second: number; lines: number; left: number }>();
  return {
    completed: (installation, end) => {
      const { id } = installation;
      if (!watchList.isWatched(id)) {
        if (windows.size > 0) windows.delete(id);
        return;
      }
      const second = Math.floor(nowMs() / 1_000);
      let window = windows.get(id);
      if (window === undefined) {
        window = { second, lines: 0, left: 0 };
        windows.set(id, window);
      }
      if (window.second !== second) {
        if (window.left > 0) record(installation, leftOut(window.left, nowMs()));
        window.second = second;
        window.lines = 0;
        window.left = 0;
      }
      if (window.lines >= LINES_PER_SECOND_MAX) window.left += 1;
      else {
        window.lines += 1;
        record(installation, lineOf(end, nowMs()));
      }
    },
  };
}

function lineOf({ invocationId, job, output, usage, trace }: CompletedInvocation, atMs: number) {
  const status = output.kind === 'http' ? output.response.status : null;
  return {
    at: new Date(atMs).toISOString(),
    invocationId,
    source: 'host' as const,
    level: 'debug' as const,
    message: `completed: ${jobText(job)}${status === null ? '' : ` answered ${status}`}`,
    facts: {
      outcome: 'completed' satisfies LineOutcome,
      kind: job.kind,
      ...(status !== null && { status }),
      usage: { ...usage },
      ...(trace && { trace: trace.waterfall() as unknown as Json }),
    },
  };
}

const leftOut = (count: number, atMs: number) => ({
  at: new Date(atMs).toISOString(),
  invocationId: '',
  source: 'host' as const,
  level: 'debug' as const,
  message: `completed: ${count} more invocations within a second`,
  facts: { outcome: 'completed' satisfies LineOutcome, invocations: count },
});

/** The route and not the address: that may name people. */
function jobText(job: PluginJob): string {
  switch (job.kind) {
    case 'http':
      return job.route;
    case 'hook':
      return `hook ${job.event.hook}`;
    case 'schedule':
      return `job ${job.name}`;
    default:
      return job.kind;
  }
}

/** How the invocation ended that a line is about; null for what a plugin wrote. */
export function outcomeOf({ source, facts }: Pick<InstallationLogEntry, 'source' | 'facts'>): LineOutcome | null {
  if (source !== 'host' || typeof facts !== 'object' || facts === null || Array.isArray(facts)) return null;
  if (facts.outcome === 'completed') return 'completed';
  if (facts.fault !== undefined) return 'faulted';
  return facts.invocations !== undefined && facts.code !== undefined ? 'refused' : null;
}
