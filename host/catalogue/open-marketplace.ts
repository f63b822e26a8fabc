import type { Knex } from 'knex';
import { createCatalogue, createRatings } from '../../registry/index.ts';
import type { Log } from '../http/log.ts';
import { every } from '../repeat-work.ts';
import type { CataloguePorts } from '../routes/catalogue.ts';
import type { ListingRoutePorts } from '../routes/listing.ts';
import type { RatingRoutePorts } from '../routes/ratings.ts';
import type { StatisticsRoutePorts } from '../routes/statistics.ts';
import { openStatistics } from '../statistics/open-statistics.ts';
import { openListings } from './open-listings.ts';

const REFRESH_INTERVAL_MS = 5 * 60_000;

export interface MarketplacePorts extends Omit<Parameters<typeof createRatings>[0], 'database'> {
  /** For whoever asks. */
  scoped: Knex;
  /** Counts over everybody's installations. */
  system: Knex;
  hostVersion: string;
  log: Log;
}

/** What everybody may find, counted anew every five minutes. `opened` collects how to stop that. */
export function openMarketplace(ports: MarketplacePorts, opened: (() => Promise<unknown>)[]) {
  const { scoped, system, log } = ports;
  const { refresh } = createCatalogue({ database: system });
  opened.push(every(REFRESH_INTERVAL_MS, async () => void (await refresh()), log));
  const routes: CataloguePorts & ListingRoutePorts & RatingRoutePorts & StatisticsRoutePorts = {
    ...openListings(ports, opened),
    ...openStatistics(ports, opened),
    catalogue: createCatalogue({ database: scoped }),
    ratings: createRatings({ ...ports, database: scoped }),
  };
  return routes;
}
