import type { Log } from '../http/log.ts';
import type { ConductStore } from './conduct-store.ts';
import type { ConductCounts } from './contract.ts';
import { type ConductRules, scoreAt } from './rules/standing.ts';
import { createStrikeRecorder, type StrikeRecorder } from './strike-recorder.ts';

export interface ConductPorts {
  store: ConductStore;
  rules: ConductRules;
  /** Counts a strike; must not throw. */
  onStrike(): void;
  log: Log;
  nowMs(): number;
}

/** Judges installations by the sandbox processes that died of them. */
export interface ConductWatch extends StrikeRecorder {
  currentScore(taken: { score: number; scoredAtMs: number }): number;
  /** Ends a suspension; false where there is none. */
  endSuspension(installationId: string, atMs: number): Promise<boolean>;
  /** Lets those share a cordon again whose strikes are forgotten; to be called now and then, on every host. */
  sweep(): Promise<void>;
  /** From memory: as it was at the last `refresh`. */
  counts(): ConductCounts;
  /** From memory, like `counts`: for what cannot wait for the database. */
  isSuspended(installationId: string): boolean;
  /** Reads again who is confined; to be called when some host's installation becomes solitary or suspended, or ceases to be. */
  refresh(): Promise<void>;
}

export function createConduct({ store, rules, onStrike, log, nowMs }: ConductPorts): ConductWatch {
  let counts: ConductCounts = { solitary: 0, suspended: 0 };
  let suspended: ReadonlySet<string> = new Set();
  const refresh = async () => {
    const confined = await store.confined();
    suspended = new Set(confined.suspended);
    counts = { solitary: confined.solitary.length, suspended: suspended.size };
  };
  return {
    ...createStrikeRecorder({ store, onStrike, log }),
    currentScore: (taken) => scoreAt(taken, nowMs(), rules),
    endSuspension: store.resume,
    sweep: async () => {
      await store.leaveSolitary(nowMs());
      await refresh();
    },
    counts: () => counts,
    isSuspended: (installationId) => suspended.has(installationId),
    refresh,
  };
}
