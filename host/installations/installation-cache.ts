import { LRUCache } from 'lru-cache';
import { effectiveLimits } from '../../plugins-sdk/contract/index.ts';
import type { Registry } from '../../registry/index.ts';
import type { Installation, InstallationFacts } from './contract.ts';
import type { InstallationStore } from './installation-store.ts';

export interface InstallationCachePorts {
  store: Pick<InstallationStore, 'bySlug'>;
  registry: Pick<Registry, 'findOrganisation' | 'releaseById'>;
}

export interface InstallationCache {
  /** From memory if possible; an unknown address is remembered as well. */
  find(operatorSlug: string, slug: string): Promise<InstallationFacts | null>;
  /** Reads the release's part of the facts; null where the release is gone. */
  withRelease(installation: Installation): Promise<InstallationFacts | null>;
  /** To be called for every change of an installation or a release, from whichever host. */
  clear(): void;
}

type Found = { facts: InstallationFacts | null };

/**
 * Installations by address, so that the data plane asks no database. Changes are rare and answers cheap, so a change
 * clears everything: that also covers addresses which were unknown until now.
 */
export function installationCache({ store, registry }: InstallationCachePorts): InstallationCache {
  const withRelease = async (installation: Installation) => {
    const release = await registry.releaseById(installation.releaseId);
    if (release === null) return null;
    const limits = effectiveLimits(release.manifest.limits ?? {}, installation.grantedLimits);
    return { ...installation, manifest: release.manifest, limits };
  };
  const load = async (address: string): Promise<Found> => {
    const [operatorSlug, slug] = address.split('/') as [string, string];
    const operator = await registry.findOrganisation(operatorSlug);
    const installation = operator && (await store.bySlug(operator.id, slug));
    return { facts: installation && (await withRelease(installation)) };
  };
  const cache = new LRUCache<string, Found>({ max: 20_000, fetchMethod: load });
  return {
    find: async (operatorSlug, slug) => (await fresh(cache, `${operatorSlug}/${slug}`)).facts,
    withRelease,
    clear: () => cache.clear(),
  };
}

/** A load that a change overtook is aborted by the cache: read again, since the caller wants the new state. */
async function fresh(cache: LRUCache<string, Found>, address: string): Promise<Found> {
  for (;;) {
    const found = await cache.fetch(address).catch((error: Error) => {
      if (error.message === 'deleted') return undefined;
      throw error;
    });
    if (found) return found;
  }
}
