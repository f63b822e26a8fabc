import type { PublisherKey, Registry, Release } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { signingWeaknesses } from '../rules/signing-strength.ts';

export interface CompareSigningsPorts {
  releases: { findById(id: string): Promise<{ release: Release; publisherId: string } | null> };
  /** All keys that a publisher ever registered. */
  keysOf(organisationId: string): Promise<PublisherKey[]>;
}

/** Refuses with: release-unknown. */
export const compareSignings =
  ({ releases, keysOf }: CompareSigningsPorts): Registry['compareSignings'] =>
  async (fromReleaseId, toReleaseId) => {
    const [from, to] = await Promise.all([releases.findById(fromReleaseId), releases.findById(toReleaseId)]);
    if (from === null || to === null) throw new RegistryRefusal('release-unknown');
    return signingWeaknesses(from.release, to.release, await keysOf(to.publisherId));
  };
