import type { Weakness } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { Installation } from './contract.ts';
import type { MovePorts } from './move-release.ts';

type GuardPorts = Pick<MovePorts, 'registry' | 'rollouts'>;

/**
 * In what a release is signed more weakly than the present one, without what its operator has accepted. What ran here before may come
 * back as it is.
 */
export async function unacceptedWeaknesses(
  { registry, rollouts }: GuardPorts,
  { id, releaseId }: Pick<Installation, 'id' | 'releaseId'>,
  release: { id: string },
): Promise<Weakness[]> {
  if (release.id === releaseId) return [];
  const found = await registry.compareSignings(releaseId, release.id);
  if (found.length === 0 || (await rollouts.ranBefore(id)).has(release.id)) return [];
  const accepted = await rollouts.acceptedWeaknesses(id, release.id);
  return found.filter(({ kind }) => !accepted.includes(kind));
}

/** Refuses with: signing-weaker. */
export async function requireSigning(
  ports: GuardPorts,
  before: Installation,
  release: { id: string; version: string },
): Promise<void> {
  const weaknesses = await unacceptedWeaknesses(ports, before, release);
  if (weaknesses.length === 0) return;
  const message = weaknesses.map((each) => each.message).join(' ');
  throw new HostRefusal('signing-weaker', message, {
    fromVersion: before.version,
    toVersion: release.version,
    weaknesses,
  });
}
