import type { InstallationLogEntry } from '../installations/contract.ts';

/** Lines are written in batches and by several hosts, so one may appear after a younger one; this much later it is lost. */
const OVERLAP_MS = 3_000;
const POLL_MS = 400;
const PAGE_MAX = 500;

export interface FollowPorts {
  /** Lines with an id above `after` (and below `before`), oldest first. */
  linesAfter(range: { after: string; before?: string; limit: number }): Promise<InstallationLogEntry[]>;
  nowMs(): number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** The smallest UUIDv7 of a millisecond: ids of log lines are their order. */
export function idAt(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7000-8000-000000000000`;
}

/**
 * Lines as they appear, each once: new ones in order, and late ones of the last seconds when they come. Null where there was
 * nothing to say for one look. Asks for no more before what it has was taken.
 */
export async function* followLines(
  { linesAfter, nowMs, pause }: FollowPorts,
  start: string,
  signal: AbortSignal,
): AsyncGenerator<InstallationLogEntry | null> {
  let lastId = start;
  /** Of the last seconds. */
  let seen = new Set<string>();
  while (!signal.aborted) {
    const floor = max(start, idAt(nowMs() - OVERLAP_MS));
    const late = floor < lastId ? await linesAfter({ after: floor, before: lastId, limit: PAGE_MAX }) : [];
    const fresh = await linesAfter({ after: lastId, limit: PAGE_MAX });
    let said = false;
    for (const line of [...late.filter(({ id }) => !seen.has(id)), ...fresh]) {
      if (signal.aborted) return;
      said = true;
      seen.add(line.id);
      yield line;
    }
    lastId = fresh.at(-1)?.id ?? lastId;
    seen = new Set([...seen].filter((id) => id >= floor));
    if (fresh.length === PAGE_MAX) continue;
    if (!said) yield null;
    await pause(POLL_MS, signal);
  }
}

const max = (a: string, b: string): string => (a > b ? a : b);
