import type { Sandbox } from '../sandbox/index.ts';
import type { ConductWatch } from './conduct/compose.ts';
import type { Database } from './database.ts';
import type { GrantWatch } from './grants/grant-watch.ts';
import type { Log } from './http/log.ts';
import type { InstallationCache } from './installations/installation-cache.ts';
import type { InvocationRecorder } from './recordings/record-invocations.ts';
import type { StopBlocked } from './releases/stop-blocked.ts';
import type { Rollouts } from './rollouts/compose.ts';
import type { WatchList } from './tails/watch-list.ts';

/** Triggers of tables, and whoever follows an installation, tell every host on this channel. */
export const CHANGES = 'gatehouse_changes';

/** Takes what is for the watch list alone out of the changes, which make caches forget what they have. */
export const withoutTails = (database: Database, { onPayload }: WatchList): Database => ({
  ...database,
  listen: (channel, hear, events) =>
    database.listen(channel, (payload) => void (onPayload(payload) || hear(payload)), events),
});

/** Changes of what an installation runs. */
const EVICTING = new Set(['installations', 'installation_conduct', 'rollouts']);
/** Changes of one installation, which concern nobody else but those that call it. */
const OWN = new Set([...EVICTING, 'recording_settings']);

/** Whatever changes on any host, here it is forgotten within the round trip of a notification. */
export async function followChanges(
  database: Database,
  sandbox: Sandbox,
  caches: { clear(): void }[],
  sessions: { clear(): void },
  installations: Pick<InstallationCache, 'clear' | 'forget'>,
  callees: { clear(): void },
  conduct: Pick<ConductWatch, 'refresh' | 'isSuspended'>,
  recorder: Pick<InvocationRecorder, 'refresh'>,
  rollouts: Pick<Rollouts, 'onRelease'>,
  grants: Pick<GrantWatch, 'changed'>,
  stopBlocked: StopBlocked,
  log: Log,
): Promise<void> {
  const clear = () => {
    for (const cache of [...caches, sessions, installations, callees]) cache.clear();
  };
  /** What it has running would go on to break cordons, one after another. */
  const stopSuspended = async (id: string) => {
    await conduct.refresh();
    if (conduct.isSuspended(id)) sandbox.stop(id);
  };
  const stop = (releaseId?: string) => {
    stopBlocked(releaseId).catch((error) => log.error({ err: error }, 'blocked releases not stopped'));
  };
  const onChange = (payload: string) => {
    const [table, id] = payload.split(':');
    // Anybody may log in and out all day: that must not make the data plane forget what it has.
    if (table === 'sessions') return sessions.clear();
    if (OWN.has(table!) && id) {
      void installations.forget(id);
      callees.clear();
    } else clear();
    // Who runs alone from now on must not keep what it has in the cordons of others, and nobody runs an older release.
    if (EVICTING.has(table!) && id) sandbox.evict(id);
    if (table === 'installations' && id) {
      grants.changed(id).catch((error) => log.error({ err: error }, 'grants not read'));
    }
    if (table === 'releases' && id) {
      rollouts.onRelease(id);
      stop(id);
    }
    if (table === 'recording_settings') {
      recorder.refresh().catch((error) => log.error({ err: error }, 'recording settings not read'));
    }
    if (table === 'installation_conduct' && id) {
      stopSuspended(id).catch((error) => log.error({ err: error }, 'conduct not read'));
    }
  };
  const onReconnect = () => {
    clear();
    // Whatever was blocked meanwhile was not heard of.
    stop();
  };
  await database.listen(CHANGES, onChange, { onDisconnect: clear, onReconnect });
}
