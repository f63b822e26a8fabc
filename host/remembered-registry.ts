import type { Organisation, Registry, Release } from '../registry/index.ts';
import { changeAwareCache } from './change-aware-cache.ts';

/** A missed notification is made good after this time. */
const KEEP_MS = 60_000;
const ORGANISATIONS_MAX = 5_000;
const RELEASES_MAX = 1_000;
/** At most 1 MiB each, and twice as many (change-aware-cache.ts). */
const BUNDLES_MAX = 64;

/**
 * What the first call of an installation asks the registry, from memory until anything changes: another installation of
 * the same operator or of the same release has asked it before. A bundle's signatures were verified when it was read, and
 * are verified again after every change of a key or of a release.
 */
export function rememberedRegistry({
  findOrganisation,
  releaseById,
  loadBundle,
}: Pick<Registry, 'findOrganisation' | 'releaseById' | 'loadBundle'>) {
  const ttlMs = () => KEEP_MS;
  const organisations = changeAwareCache<Organisation | null>({
    load: findOrganisation,
    ttlMs,
    entriesMax: ORGANISATIONS_MAX,
  });
  const releases = changeAwareCache<Release | null>({ load: releaseById, ttlMs, entriesMax: RELEASES_MAX });
  const codes = changeAwareCache<string>({
    load: async (digest) => (await loadBundle(digest)).code,
    ttlMs,
    entriesMax: BUNDLES_MAX,
  });
  return {
    findOrganisation: organisations.find,
    releaseById: releases.find,
    loadCode: codes.find,
    clear: () => {
      for (const cache of [organisations, releases, codes]) cache.clear();
    },
  };
}

export type RememberedRegistry = ReturnType<typeof rememberedRegistry>;
