import { effectiveLimits } from '../../plugins-sdk/contract/index.ts';
import { type Registry, RegistryRefusal, type Release } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import { checkConfiguration, checkGrants, checkRelease } from './check-installation.ts';
import type { Installations } from './contract.ts';
import type { InstallPorts } from './install-plugin.ts';
import { raiseHook } from './raise-hook.ts';

export interface UpdatePorts extends InstallPorts {
  registry: InstallPorts['registry'] & Pick<Registry, 'releaseById'>;
}

/** Changes version, grants, configuration, limits or enablement: checked as a whole, then written as a whole. */
export const updateInstallation =
  (ports: UpdatePorts): Installations['update'] =>
  async (actor, id, change) => {
    const before = await ports.store.byId(id);
    if (before === null || before.operator.id !== actor.organisation.id) throw new HostRefusal('installation-unknown');

    const moves = change.version !== undefined && change.version !== before.version;
    const release = moves
      ? await ports.registry.findRelease(actor, { plugin: before.plugin, version: change.version! })
      : await currentRelease(ports, before.releaseId);
    if (moves) {
      checkRelease(release, ports.hostVersion);
      await ports.registry.loadBundle(release.bundleDigest);
    }
    const after = {
      ...before,
      version: release.version,
      releaseId: release.id,
      bundleDigest: release.bundleDigest,
      grants: change.grants ?? before.grants,
      config: change.config ?? before.config,
      grantedLimits: change.limits ?? before.grantedLimits,
      enabled: change.enabled ?? before.enabled,
      manifest: release.manifest,
      limits: effectiveLimits(release.manifest.limits ?? {}, change.limits ?? before.grantedLimits),
    };
    checkGrants(after.manifest, after.grants);
    if (moves || change.config !== undefined) await checkConfiguration(after, after.config, ports.runPlugin);
    if (moves) {
      await raiseHook(ports, after, 'update', { fromVersion: before.version, toVersion: after.version });
    }
    const written = await ports.store.change(id, after);
    if (written === null) throw new HostRefusal('installation-unknown');
    return written;
  };

async function currentRelease({ registry }: UpdatePorts, releaseId: string): Promise<Release> {
  const release = await registry.releaseById(releaseId);
  if (release === null) throw new RegistryRefusal('release-unknown');
  return release;
}
