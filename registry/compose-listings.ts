import type { RegistryPorts } from './compose.ts';
import type { Listings } from './listings/contract.ts';
import { type CountViewsPorts, countViews } from './listings/count-views.ts';
import { createFactsStore } from './listings/facts-store.ts';
import { makePages } from './listings/make-page.ts';
import { createPageStore } from './listings/page-store.ts';
import { type ReadListingPorts, readImageOf, readListing, readRelease } from './listings/read-listing.ts';
import { renderInWorker } from './listings/render-in-worker.ts';
import { createViewStore } from './listings/view-store.ts';
import { archiveFiles } from './publishing/read-archive.ts';
import { createReleaseStore } from './publishing/release-store.ts';

export interface ListingPorts
  extends Pick<RegistryPorts, 'database' | 'system' | 'nowMs'>,
    Pick<ReadListingPorts, 'compatibility' | 'p95Ms'> {}

/** What everybody may read of a plugin before they install it. Pages are made by the host, and shown to who may see the release. */
export function createListings({ database, system, nowMs, compatibility, p95Ms }: ListingPorts): Listings {
  const releases = createReleaseStore(database);
  const ofEverybody = createReleaseStore(system);
  const pageOf = makePages({
    pages: createPageStore(system),
    filesOf: async (releaseId) => archiveFiles(await ofEverybody.archiveOf(releaseId)),
    render: renderInWorker,
    nowMs,
  });
  const found = { findRelease: releases.findByName, facts: createFactsStore(system) };
  return {
    release: readRelease(found),
    details: readListing({
      ...found,
      pageOf,
      compatibility,
      p95Ms,
      nowMs,
    }),
    image: readImageOf({ pages: createPageStore(database) }),
  };
}

/** Counts who looks at listings, over all hosts. */
export const createViewCounter = ({
  system,
  ...ports
}: Pick<RegistryPorts, 'system' | 'nowMs'> & Pick<CountViewsPorts, 'remembered'>) =>
  countViews({ ...ports, store: createViewStore(system) });
