import { effectiveLimits } from '../../plugins-sdk/contract/index.ts';
import { type Principal, type Registry, type Release, statementOf, type Transparency } from '../../registry/index.ts';
import { GOOD_CONDUCT } from '../conduct/contract.ts';
import { HostRefusal } from '../errors.ts';
import { PluginFaultError } from '../invocations/contract.ts';
import type { PluginRunner } from '../invocations/run-plugin.ts';
import { PINNED } from '../rollouts/contract.ts';
import { line } from '../rollouts/describe-rollout.ts';
import { checkConfiguration, checkGrants, checkRelease } from './check-installation.ts';
import type { Installation, InstallationFacts, Installations, InstallRequest } from './contract.ts';
import type { InstallationCache } from './installation-cache.ts';
import type { InstallationStore } from './installation-store.ts';
import { write } from './move-release.ts';
import { raiseHook } from './raise-hook.ts';
import { requireRequirements } from './requirements/check-requirements.ts';
import type { DemandStore } from './requirements/demand-store.ts';
import { type Leased, type LeasePorts, unfinishedText, withLease } from './with-lease.ts';

export interface InstallPorts extends LeasePorts {
  store: InstallationStore;
  cache: Pick<InstallationCache, 'withRelease'>;
  registry: Pick<Registry, 'resolveRelease' | 'loadBundle' | 'publishedVersions'>;
  demands: DemandStore;
  transparency: Pick<Transparency, 'requireLogged'>;
  runPlugin: PluginRunner;
  hostVersion: string;
  nowMs(): number;
}

/** Nobody reaches what has begun until it is finished; asked for again with the same id, it is finished by whoever is asked. */
export const installPlugin =
  (ports: InstallPorts): Installations['install'] =>
  async (actor, command) => {
    const begun = (await ports.store.byId(command.id)) ?? (await begin(ports, actor, command));
    requireSame(begun, actor, command);
    if (!begun.installing) return begun;
    await withLease(ports, begun.id, (leased) => finish(ports, leased), { installing: true });
    const installed = await ports.store.byId(begun.id);
    if (installed === null) throw new HostRefusal('installation-id-taken', IS_OVER);
    return installed;
  };

const IS_OVER = 'The installation with this id was refused by the plugin, or is uninstalled; choose another id.';

/** Checks it as a whole and stores it, disabled. The answer is another one where somebody was faster with this id. */
async function begin(ports: InstallPorts, actor: Principal, command: InstallRequest): Promise<Installation> {
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
  return (await ports.store.insert(installation)) ? installation : lostRace(ports, actor, command);
}

/** Lets the plugin refuse, whose fault ends the installation. After anything else it can be finished later. */
async function finish(ports: InstallPorts, { installation, revision }: Leased): Promise<void> {
  if (!installation.installing) return;
  const { id, version, updates } = installation;
  const facts = (await ports.cache.withRelease(installation)) as InstallationFacts;
  try {
    await raiseHook(ports, facts, 'install', { version }, version);
  } catch (error) {
    if (error instanceof PluginFaultError) await ports.store.remove(id);
    throw error;
  }
  await write(ports, {
    installationId: id,
    revision,
    atMs: ports.nowMs(),
    set: { enabled: true, installing: false },
    lines: [line(`Installed ${version}.`, 'installed', { toVersion: version, follows: updates.follows })],
  });
}

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
    enabled: false,
    installing: true,
    blocked: release.blocked,
    conduct: GOOD_CONDUCT,
    updates: { ...PINNED, ...command.updates, follows },
    createdAt: at,
    updatedAt: at,
    manifest: release.manifest,
    limits: effectiveLimits(release.manifest.limits ?? {}, grantedLimits),
  };
}

/** Refuses with: installation-id-taken. */
function requireSame({ operator, ...begun }: Installation, actor: Principal, { plugin, slug }: InstallRequest): void {
  if (operator.id === actor.organisation.id && begun.plugin === plugin && begun.slug === slug) return;
  throw new HostRefusal('installation-id-taken');
}

/** Somebody was faster with this id or slug. Refuses with: installation-id-taken, installation-slug-taken. */
async function lostRace(
  { store, nowMs }: InstallPorts,
  actor: Principal,
  { id, slug }: InstallRequest,
): Promise<Installation> {
  const winner = await store.byId(id);
  if (winner) return winner;
  const operatorId = actor.organisation.id;
  if (await store.removed(operatorId, id, nowMs())) throw new HostRefusal('installation-id-taken', IS_OVER);
  const holder = await store.bySlug(operatorId, slug);
  // Whoever has the id is nobody that this operator may see.
  if (holder === null) throw new HostRefusal('installation-id-taken');
  const message = holder.installing ? unfinishedText(holder) : undefined;
  throw new HostRefusal('installation-slug-taken', message, { slug });
}
