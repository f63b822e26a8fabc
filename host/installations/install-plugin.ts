import { effectiveLimits } from '../../plugins-sdk/contract/index.ts';
import type { Principal, Registry, Release } from '../../registry/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import { HostRefusal } from '../errors.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import { checkConfiguration, checkGrants, checkRelease } from './check-installation.ts';
import type { Installation, InstallationFacts, Installations, InstallRequest } from './contract.ts';
import type { InstallationStore } from './installation-store.ts';
import { raiseHook } from './raise-hook.ts';

export interface InstallPorts {
  store: InstallationStore;
  registry: Pick<Registry, 'findRelease' | 'loadBundle'>;
  runPlugin: PluginRunner;
  hostVersion: string;
  nowMs(): number;
}

export const installPlugin =
  (ports: InstallPorts): Installations['install'] =>
  async (actor, command) => {
    const existing = await ports.store.byId(command.id);
    if (existing) return sameInstallation(existing, actor, command);

    const release = await ports.registry.findRelease(actor, { plugin: command.plugin, version: command.version });
    checkRelease(release, ports.hostVersion);
    checkGrants(release.manifest, command.grants);
    // Reads the code once more and verifies digest and signatures before anything is written.
    await ports.registry.loadBundle(release.bundleDigest);
    const installation = draft(ports, actor, command, release);
    await checkConfiguration(installation, installation.config, ports.runPlugin);

    if (!(await ports.store.insert(installation))) return lostRace(ports, actor, command);
    try {
      await raiseHook(ports, installation, 'install', { version: installation.version });
    } catch (error) {
      await ports.store.remove(installation.id);
      throw error;
    }
    return (await ports.store.byId(installation.id)) ?? installation;
  };

function draft(
  { nowMs }: InstallPorts,
  actor: Principal,
  command: InstallRequest,
  release: Release,
): InstallationFacts {
  const at = new Date(nowMs()).toISOString();
  const grantedLimits = command.limits ?? {};
  return {
    id: command.id,
    slug: command.slug,
    operator: { id: actor.organisation.id, slug: actor.organisation.slug },
    plugin: release.plugin,
    version: release.version,
    releaseId: release.id,
    bundleDigest: release.bundleDigest,
    grants: command.grants,
    config: command.config ?? {},
    grantedLimits,
    enabled: true,
    conduct: GOOD_CONDUCT,
    createdAt: at,
    updatedAt: at,
    manifest: release.manifest,
    limits: effectiveLimits(release.manifest.limits ?? {}, grantedLimits),
  };
}

function sameInstallation(existing: Installation, actor: Principal, { plugin, slug }: InstallRequest): Installation {
  const { operator } = existing;
  if (operator.id === actor.organisation.id && existing.plugin === plugin && existing.slug === slug) return existing;
  throw new HostRefusal('installation-id-taken');
}

/** Somebody was faster with this id or slug: their installation is the answer if it is the one that was asked for. */
async function lostRace({ store }: InstallPorts, actor: Principal, command: InstallRequest): Promise<Installation> {
  const winner = await store.byId(command.id);
  if (winner) return sameInstallation(winner, actor, command);
  throw new HostRefusal('installation-slug-taken', undefined, { slug: command.slug });
}
