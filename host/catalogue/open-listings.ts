import type { Knex } from 'knex';
import semver from 'semver';
import { type Compatibility, createListings, createViewCounter, type Principal } from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import { addressKey } from '../rate-limits/address-key.ts';
import { every } from '../repeat-work.ts';
import { compareReleases } from '../rollouts/rules/compare-releases.ts';
import { edgeMs, quantileBucket } from '../rollouts/rules/latency-buckets.ts';
import type { ListingRoutePorts } from '../routes/listing.ts';

const FLUSH_INTERVAL_MS = 10_000;
const P95 = 0.95;

export interface OpenListingPorts {
  scoped: Knex;
  /** Makes pages from archives, which nobody else may read, and counts views. */
  system: Knex;
  hostVersion: string;
  nowMs(): number;
  log: Log;
}

/** Whether a release runs on this Gatehouse, and why. */
export const compatibilityWith =
  (host: string) =>
  (engine: string): Compatibility => {
    const compatible = semver.satisfies(host, engine, { includePrerelease: true });
    const why = compatible
      ? `It asks for Gatehouse ${engine}, and this is ${host}.`
      : `It asks for Gatehouse ${engine}, but this is ${host}.`;
    return { engine, host, compatible, why };
  };

/** Listings as routes want them; views are counted in memory and written every ten seconds. `opened` collects how to stop that. */
export function openListings(
  { scoped, system, hostVersion, nowMs, log }: OpenListingPorts,
  opened: (() => Promise<unknown>)[],
): ListingRoutePorts {
  const listings = createListings({
    database: scoped,
    system,
    nowMs,
    compatibility: compatibilityWith(hostVersion),
    p95Ms: (durations) =>
      durations.some((count) => count > 0) ? Math.round(edgeMs(quantileBucket(durations, P95)) * 10) / 10 : null,
  });
  const views = createViewCounter({ system, nowMs });
  opened.push(views.flush, every(FLUSH_INTERVAL_MS, views.flush, log));
  return {
    listings: {
      image: listings.image,
      async read(viewer, { against, ...wish }, address) {
        const { details, release, pluginId } = await listings.details(viewer, wish);
        const older =
          against === undefined ? null : await listings.release(viewer, { plugin: wish.plugin, version: against });
        const granted = (older?.manifest.capabilities ?? []).map(({ name }) => name);
        const comparison = older && compareReleases(older.manifest, release.manifest, granted);
        if (isAudience(viewer, details.publisher.slug))
          views.count(pluginId, viewer?.organisation.id ?? addressKey(address));
        return { ...details, comparison };
      },
    },
  };
}

/** Publishers who look at their own, and whoever works for the platform, say nothing of how often a listing is read. */
const isAudience = (viewer: Principal | null, publisher: string): boolean =>
  viewer === null || (viewer.organisation.slug !== publisher && viewer.organisation.kind !== 'platform');
