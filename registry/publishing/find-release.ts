import type { Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { isVersion, pluginName } from '../rules/plugin-name.ts';
import { seesAll } from './list-releases.ts';
import type { ReleaseStore } from './release-store.ts';

/** A release that the actor may not see is as unknown as one that does not exist. Refuses with: release-unknown. */
export const findRelease =
  (ports: { releases: ReleaseStore }): Registry['findRelease'] =>
  async (actor, { plugin, version }) => {
    const named = pluginName(plugin);
    const stored =
      named !== null && (version === undefined || isVersion(version))
        ? await ports.releases.findByName(version === undefined ? named : { ...named, version })
        : null;
    const visible =
      stored !== null &&
      (stored.release.state === 'published' || seesAll(actor) || stored.publisherId === actor.organisation.id);
    if (!visible) throw new RegistryRefusal('release-unknown', undefined, { plugin, version });
    return stored.release;
  };

/** For the host itself: any state; null where there is none. */
export const releaseById =
  (ports: { releases: ReleaseStore }): Registry['releaseById'] =>
  async (releaseId) =>
    isUuid(releaseId) ? ((await ports.releases.findById(releaseId))?.release ?? null) : null;
