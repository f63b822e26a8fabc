import type { Knex } from 'knex';
import { createCatalogueStore } from './catalogue-store.ts';
import type { Catalogue } from './contract.ts';
import { explainRanking } from './explain-ranking.ts';
import { createRankingStore } from './ranking-store.ts';
import { findAlike, searchCatalogue } from './search-catalogue.ts';

/** The marketplace as everybody sees it. */
export function createCatalogue({ database }: { database: Knex }): Catalogue {
  const catalogue = createCatalogueStore(database);
  return {
    search: searchCatalogue({ catalogue }),
    categories: catalogue.categories,
    alike: findAlike({ catalogue }),
    ranking: explainRanking({ rankings: createRankingStore(database) }),
    refresh: catalogue.refresh,
  };
}
