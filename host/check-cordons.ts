import type { SandboxStatus } from '../sandbox/index.ts';

/**
 * Whether plugins can be run. One cordon is enough; that others do not start is said all the same. What they said stays in
 * the log: strangers may ask for this.
 */
export function checkCordons({ cordons, alarm }: Pick<SandboxStatus, 'cordons' | 'alarm'>): {
  ok: boolean;
  message?: string;
} {
  const ok = cordons.some(({ kind, state }) => kind === 'pool' && state === 'ready');
  if (alarm) return { ok, message: 'Degraded: a sandbox process does not start; the log of the host says why.' };
  return ok ? { ok } : { ok, message: 'No sandbox process is ready.' };
}
