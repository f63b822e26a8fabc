import { HostRefusal } from '../errors.ts';
import { line } from '../rollouts/describe-rollout.ts';
import type { InstallationFacts, Installations } from './contract.ts';
import type { InstallationCache } from './installation-cache.ts';
import type { InstallationStore } from './installation-store.ts';
import { type MovePorts, write } from './move-release.ts';
import { tellHook } from './raise-hook.ts';
import { requireNotNeeded } from './requirements/check-requirements.ts';
import { type Leased, withLease } from './with-lease.ts';

export interface RemovePorts extends MovePorts {
  store: InstallationStore;
  cache: Pick<InstallationCache, 'withRelease'>;
  /** What a removed installation stored is kept so long. */
  graceMs: number;
}

/** Tells the plugin, which cannot prevent it; then nobody reaches the installation any more. */
export const removeInstallation =
  (ports: RemovePorts): Installations['uninstall'] =>
  async (actor, id, { deleteNow = false, ignoreRequirements = false } = {}) => {
    const { store, nowMs } = ports;
    const found = await store.byId(id);
    const ended = async () => {
      if ((await store.removed(actor.organisation.id, id, nowMs())) === null)
        throw new HostRefusal('installation-unknown');
    };
    if (found === null) return ended();
    if (found.operator.id !== actor.organisation.id) throw new HostRefusal('installation-unknown');
    const remove = async ({ installation, revision }: Leased) => {
      if (!ignoreRequirements) await requireNotNeeded(ports, installation.operator.id, id, null);
      const facts = (await ports.cache.withRelease(installation)) as InstallationFacts;
      await tellHook(ports, facts, 'uninstall', { version: facts.version }, revision);
      const atMs = nowMs();
      const purgeAtMs = deleteNow ? atMs : atMs + ports.graceMs;
      const kept = deleteNow
        ? 'What it stored is deleted.'
        : `What it stored is kept until ${new Date(purgeAtMs).toISOString()}.`;
      const { updates } = installation;
      const reason = 'The installation was removed.';
      await write(ports, {
        installationId: id,
        revision,
        atMs,
        set: { removal: { atMs, purgeAtMs } },
        end: [
          ...(updates.canary ? [{ state: 'canary', as: 'rolled-back', reason } as const] : []),
          ...(updates.waiting ? [{ state: 'waiting', as: 'superseded', reason } as const] : []),
        ],
        lines: [line(`Uninstalled. ${kept}`, 'uninstalled', { purgeAt: new Date(purgeAtMs).toISOString() }, 'warn')],
      });
    };
    await withLease(ports, id, remove, { installing: true });
    while (deleteNow && (await store.purge(id, nowMs())));
  };

export const restoreInstallation =
  ({ store, nowMs, changes }: RemovePorts): Installations['restore'] =>
  async (actor, id) => {
    const present = await store.byId(id);
    if (present?.operator.id === actor.organisation.id) return present;
    const removed = await store.removed(actor.organisation.id, id, nowMs());
    if (removed === null || removed.purged) throw new HostRefusal('installation-unknown');
    if (!(await store.restore(actor.organisation.id, id, nowMs()))) throw new HostRefusal('installation-slug-taken');
    const lease = await changes.take(id, 1_000);
    if (lease) {
      const lines = [line('Restored.', 'restored')];
      await changes.write({ installationId: id, revision: lease.revision, atMs: nowMs(), lines });
      await changes.release(id, lease);
    }
    return (await store.byId(id))!;
  };
