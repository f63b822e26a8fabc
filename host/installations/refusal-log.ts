import type { InvocationRefusalCode } from '../invocations/contract.ts';
import type { InstallationFacts, InstallationLogEntry } from './contract.ts';

/** Those that somebody who reads the log can do something about. */
const TOLD: Partial<Record<InvocationRefusalCode, string>> = {
  'installation-saturated': 'too many were running and waiting',
  'cpu-budget-exhausted': 'the CPU time of the installation was used up',
  'sandbox-saturated': 'the host was full',
  'sandbox-interrupted': 'sandbox processes ended under them',
};

export type Whose = Pick<InstallationFacts, 'id' | 'releaseId' | 'bundleDigest'>;

export interface RefusalLog {
  /** Counts one; only arithmetic, no I/O. */
  add(installation: Whose, code: InvocationRefusalCode): void;
  /** Hands over one line for every installation and code that was counted since the last time. */
  drain(write: (installation: Whose, entry: Omit<InstallationLogEntry, 'id'>) => void): void;
}

/** Tells an installation's log what was refused, a line for many: a flood of requests must not become a flood of lines. */
export function refusalLog(nowMs: () => number): RefusalLog {
  let counted = new Map<string, { installation: Whose; code: InvocationRefusalCode; count: number; sinceMs: number }>();
  return {
    add: (installation, code) => {
      if (TOLD[code] === undefined) return;
      const key = `${installation.id} ${code}`;
      const found = counted.get(key);
      if (found) found.count += 1;
      else counted.set(key, { installation, code, count: 1, sinceMs: nowMs() });
    },
    drain: (write) => {
      const all = counted;
      counted = new Map();
      for (const { installation, code, count, sinceMs } of all.values()) {
        write(installation, {
          at: new Date(nowMs()).toISOString(),
          invocationId: '',
          source: 'host',
          level: 'warn',
          message: `${code}: ${count} ${count === 1 ? 'invocation was' : 'invocations were'} refused, because ${TOLD[code]}.`,
          facts: { code, invocations: count, since: new Date(sinceMs).toISOString() },
        });
      }
    },
  };
}
