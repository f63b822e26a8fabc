import { type Principal, RegistryRefusal, type Release } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { LeftRelease } from '../rollouts/rollout-store.ts';
import type { Installation, Installations, RollbackRequest } from './contract.ts';
import { dropCanary } from './end-canary.ts';
import { requireSigning } from './guard-signing.ts';
import {
  compareWith,
  declaredOf,
  type MovePorts,
  moveNow,
  type Planned,
  planRelease,
  releaseOf,
  requireConsent,
} from './move-release.ts';
import { type Leased, withLease } from './with-lease.ts';

const BY_OPERATOR = { by: 'operator', reason: 'Its operator rolled it back.' } as const;

/** Drops the canary, or goes back to the release before or a named one. */
export const rollBack =
  (ports: MovePorts): Installations['rollBack'] =>
  async (actor, id, request) => {
    const found = await ports.store.byId(id);
    if (found === null || found.operator.id !== actor.organisation.id) throw new HostRefusal('installation-unknown');
    const after = await withLease(ports, id, async (leased) => {
      if (leased.installation.updates.canary && request.version === undefined) {
        await dropCanary(ports, leased, BY_OPERATOR);
      } else {
        await goBack(ports, actor, leased, request);
      }
      return ports.store.byId(id);
    });
    if (after === null) throw new HostRefusal('installation-unknown');
    return after;
  };

async function goBack(ports: MovePorts, actor: Principal, leased: Leased, request: RollbackRequest): Promise<void> {
  const { installation: before } = leased;
  const { release, left } = await findTarget(ports, actor, before, request.version);
  if (release.id === before.releaseId) return;
  await requireSigning(ports, before, release);
  requireConsent(await compareWith(ports, before, release), undefined);
  const planned = await plan(ports, before, release, left, request);
  // Whoever goes back must not be sent forward again by the next look; a range that is followed leaves this release out.
  await moveNow(ports, leased, {
    planned,
    cause: 'operator',
    event: 'rolled-back',
    lenient: true,
    reason: BY_OPERATOR.reason,
  });
}

async function findTarget(
  ports: MovePorts,
  actor: Principal,
  before: Installation,
  version: string | undefined,
): Promise<{ release: Release; left: LeftRelease | null }> {
  if (version === undefined) {
    const left = await ports.rollouts.lastLeft(before.id, { presentReleaseId: before.releaseId });
    if (left === null) throw new HostRefusal('rollback-target-unknown');
    return { release: await releaseOf(ports, left.releaseId), left };
  }
  const { release, range } = await ports.registry.resolveRelease(actor, { plugin: before.plugin, version });
  if (range !== null) {
    const message = 'A rollback goes to one version, not to a range.';
    throw new RegistryRefusal('version-range-invalid', message, { version });
  }
  return { release, left: await ports.rollouts.lastLeft(before.id, { releaseId: release.id }) };
}

/** The older release may refuse the present configuration: the way out is the one that it had. */
async function plan(
  ports: MovePorts,
  before: Installation,
  release: Release,
  left: LeftRelease | null,
  request: RollbackRequest,
): Promise<Planned> {
  const config = request.config ?? (request.restoreConfig && left ? left.config : before.config);
  const present = await releaseOf(ports, before.releaseId);
  // It gets back what was taken from it only because the newer release did not ask for it; what the operator took stays taken.
  const lost = (left?.grants ?? []).filter((grant) => !declaredOf([grant], present).length);
  const grants = declaredOf([...new Set([...before.grants, ...lost])], release);
  try {
    return await planRelease(ports, before, release, { grants, config }, { lenient: true });
  } catch (error) {
    if (!(error instanceof HostRefusal) || error.code !== 'config-invalid') throw error;
    const wayOut = left
      ? 'Take the one that it had (`restoreConfig`, gate rollback --restore-config) or send another (`config`, --config).'
      : 'Send one that it takes (`config`, gate rollback --config).';
    const message = `${release.version} does not take the present configuration. ${wayOut}`;
    throw new HostRefusal('config-invalid', message, { ...error.facts, version: release.version });
  }
}
