import { RUNNABLE_STATES } from '../../registry/index.ts';
import type { Sandbox } from '../../sandbox/index.ts';
import type { ReachStore } from './reach-store.ts';

/**
 * Ends what this host has running of a release that may not run any more, of one or of all. Calls that come later are refused, because
 * caches forgot the release before this was called.
 */
export const stopBlocked =
  ({ store, sandbox }: { store: Pick<ReachStore, 'stopped'>; sandbox: Pick<Sandbox, 'stop' | 'evict'> }) =>
  async (releaseId?: string): Promise<void> => {
    for (const installationId of await store.stopped(RUNNABLE_STATES, releaseId)) {
      sandbox.stop(installationId);
      sandbox.evict(installationId);
    }
  };

export type StopBlocked = ReturnType<typeof stopBlocked>;
