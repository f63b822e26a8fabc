import { effectiveLimits } from '../../plugins-sdk/contract/index.ts';
import { type Principal, type Registry, type Release, statementOf, type Transparency } from '../../registry/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import { HostRefusal } from '../errors.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import { PINNED } from '../rollouts/contract.ts';
import { line } from '../rollouts/describe-rollout.ts';
import type { ChangeStore } from './change-store.ts';
import { checkConfiguration, checkGrants, checkRelease } from './check-installation.ts';
import type { Installation, InstallationFacts, Installations, InstallRequest } from './contract.ts';
import type { InstallationStore } from './installation-store.ts';
import { raiseHook } from './raise-hook.ts';
import { requireRequirements } from './requirements/check-requirements.ts';
import type { DemandStore } from './requirements/demand-store.ts';

export interface InstallPorts {
  store: InstallationStore;
  changes: Pick<ChangeStore, 'write'>;
  registry: Pick<Registry, 'resolveRelease' | 'loadBundle' | 'publishedVersions'>;
  demands: DemandStore;
  transparency: Pick<Transparency, 'requireLogged'>;
  runPlugin: PluginRunner;
  hostVersion: string;
  nowMs(): number;
}

export const installPlugin =
  (ports: InstallPorts): Installations['install'] =>
  async (actor, command) => {
    const existing = await ports.store.byId(command.id);
    if (existing) return sameInstallation(existing, actor, command);

    const { plugin, version } = command;
    const { release, range } = await ports.registry.resolveRelease(actor, { plugin, version });
    checkRelease(release, ports.hostVersion);
    checkGrants(release.manifest, command.grants);
    if (command.ignoreRequirements !== true) {
      await requireRequirements(ports, actor.organisation.id, release, null);
    }
    // Reads the code once more and verifies digest and signatures before anything is written.
    await ports.registry.loadBundle(release.bundleDigest);
    await ports.transparency.requireLogged(statementOf(release));
    const installation = draft(ports, actor, command, release, range);
    await checkConfiguration(installation, installation.config, ports.runPlugin);

    if (!(await ports.store.insert(installation))) return lostRace(ports, actor, command);
    try {
      await raiseHook(ports, installation, 'install', { version: installation.version }, installation.version);
    } catch (error) {
      await ports.store.remove(installation.id);
      throw error;
    }
    await ports.changes.write({
      installationId: installation.id,
      revision: 1,
      atMs: ports.nowMs(),
      lines: [line(`Installed ${release.version}.`, 'installed', { toVersion: release.version, follows: range })],
    });
    return (await ports.store.byId(installation.id)) ?? installation;
  };

function draft(
  { nowMs }: InstallPorts,
  actor: Principal,
  command: InstallRequest,
  release: Release,
  follows: string | null,
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
    updates: { ...PINNED, ...command.updates, follows },
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
