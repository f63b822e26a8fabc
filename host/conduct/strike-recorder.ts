import { setTimeout as rest } from 'node:timers/promises';
import type { CordonDeath } from '../../sandbox/index.ts';
import type { Log } from '../http/log.ts';
import { isDatabaseOutage } from '../http/outages.ts';
import type { ConductStore } from './conduct-store.ts';
import type { Strike } from './contract.ts';

const STRIKES_MAX = 1_000;
const RETRY_MS = 1_000;

export interface StrikeRecorderPorts {
  store: Pick<ConductStore, 'strike'>;
  /** Counts a strike that was written; must not throw. */
  onStrike(): void;
  log: Log;
  retryMs?: number;
}

export interface StrikeRecorder {
  /** Strikes the culprits of a death: these, and nobody else. Never blocks and never throws. */
  onCordonDeath(death: CordonDeath): void;
  /** Resolves when the strikes so far are written, or the database could not take them; no more may come. */
  close(): Promise<void>;
}

/** Writes strikes one after another, off everybody's path; waits for a database that is down. */
export function createStrikeRecorder({
  store,
  onStrike,
  log,
  retryMs = RETRY_MS,
}: StrikeRecorderPorts): StrikeRecorder {
  const waiting: Strike[] = [];
  const closing = new AbortController();
  let writing: Promise<void> | null = null;

  const writeFirst = async () => {
    const strike = waiting[0]!;
    try {
      const verdict = await store.strike(strike);
      waiting.shift();
      if (verdict === null) {
        // While a plugin is configured to be installed there is no installation yet; and one may be gone by now.
        log.info({ ...strike }, 'strike without an installation');
        return;
      }
      onStrike();
      log.info({ ...strike, verdict }, 'installation struck');
    } catch (error) {
      log.error({ err: error, ...strike }, 'strike not written');
      // What the database refuses once it refuses always.
      if (!isDatabaseOutage(error)) waiting.shift();
      else if (closing.signal.aborted) waiting.length = 0;
      else await rest(retryMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  };
  const write = async () => {
    while (waiting.length > 0) await writeFirst();
    writing = null;
  };

  return {
    onCordonDeath: ({ culprits, atMs, reason, exit }) => {
      for (const culprit of culprits) {
        if (waiting.length < STRIKES_MAX) waiting.push({ ...culprit, atMs, death: reason, exit });
        else log.error({ ...culprit }, 'strike lost: too many are waiting');
      }
      if (waiting.length > 0) writing ??= write();
    },
    close: async () => {
      closing.abort();
      await writing;
    },
  };
}
