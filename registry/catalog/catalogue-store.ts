import type { Knex } from 'knex';
import type { Manifest } from '../../plugins-sdk/contract/index.ts';
import type { CatalogueFilter, CatalogueSort } from './contract.ts';
import type { WordSource } from './correct-search.ts';

export interface CatalogueRow {
  pluginId: string;
  publisher: string;
  name: string;
  version: string;
  manifest: Manifest;
  publishedAt: Date;
  /** What it was sorted by. */
  rank: number;
  score: number | null;
  rating: number | null;
  ratings: number | null;
  operators: number | null;
}

export interface CatalogueStore extends WordSource {
  /** By rank, the highest first, and by id among equals; after `after`. */
  search(
    filter: Omit<CatalogueFilter, 'sort' | 'cursor' | 'limit'> & {
      sort: CatalogueSort;
      after: { rank: number; pluginId: string } | null;
      count: number;
    },
  ): Promise<CatalogueRow[]>;
  categories(): Promise<{ category: string; plugins: number }[]>;
  /** Null where nobody may see the plugin. */
  alike(plugin: { publisher: string; name: string }): Promise<CatalogueRow[] | null>;
  refresh(): Promise<boolean>;
}

/** Of a plugin that was never counted: what a new one without ratings has, about. */
const SCORE_UNCOUNTED = 0.4;
const NEIGHBOURS_MAX = 100;

const RANKS: Record<Exclude<CatalogueSort, 'relevance'>, string> = {
  popular: `coalesce(s.score, ${SCORE_UNCOUNTED})`,
  // Drawn towards 3.5 until there are enough.
  rating: '(17.5 + coalesce(s.rating * s.ratings, 0)) / (5 + coalesce(s.ratings, 0))',
  newest: 'extract(epoch from l.first_published_at)::double precision',
  updated: 'extract(epoch from l.published_at)::double precision',
};
/** Where the words were found counts more than anything else, and among equals the score. */
const RELEVANCE = `case when l.name = ? or l.publisher || '/' || l.name = ? or lower(l.title) = ? then 3
    when l.heading @@ listing_query(?) then 2 else 1 end + ${RANKS.popular}`;

export function createCatalogueStore(database: Knex): CatalogueStore {
  /** The manifest is read for those that are shown only. */
  const shown = (found: Knex.QueryBuilder) =>
    database
      .from(found.as('f'))
      .join('releases', 'releases.id', 'f.release_id')
      .orderBy([{ column: 'f.rank', order: 'desc' }, { column: 'f.pluginId' }])
      .select<CatalogueRow[]>('f.*', 'releases.manifest');
  const listings = () =>
    database('plugin_listings as l').leftJoin('plugin_standing as s', 's.plugin_id', 'l.plugin_id').select({
      pluginId: 'l.plugin_id',
      release_id: 'l.release_id',
      publisher: 'l.publisher',
      name: 'l.name',
      version: 'l.version',
      publishedAt: 'l.published_at',
      score: 's.score',
      rating: 's.rating',
      ratings: 's.ratings',
      operators: 's.operators',
    });
  return {
    async search({ search, category, kind, price, without = [], sort, after, count }) {
      const found = listings();
      if (search !== undefined) found.whereRaw('l.document @@ listing_query(?)', [search]);
      if (category !== undefined) found.whereRaw('? = any (l.categories)', [category]);
      if (kind !== undefined) found.where('l.kind', kind);
      if (price !== undefined) found.where('l.pricing', price === 'free' ? '=' : '<>', 'free');
      if (without.length > 0) found.whereRaw('not l.capabilities && ?::text[]', [without]);
      if (sort === 'relevance' && search !== undefined) {
        const whole = search.trim().toLowerCase();
        found.select(database.raw(`${RELEVANCE} as rank`, [whole, whole, whole, search]));
      } else {
        found.select(database.raw(`${RANKS[sort === 'relevance' ? 'popular' : sort]} as rank`));
      }
      const page = database.from(found.as('ranked')).select('*');
      if (after) {
        page.whereRaw('(rank < ?::double precision or (rank = ?::double precision and "pluginId" > ?))', [
          after.rank,
          after.rank,
          after.pluginId,
        ]);
      }
      page.orderBy([{ column: 'rank', order: 'desc' }, { column: 'pluginId' }]).limit(count);
      return shown(page);
    },
    async categories() {
      const each = database('plugin_listings').select({ category: database.raw('unnest(categories)') });
      const rows = await database
        .from(each.as('each'))
        .groupBy('category')
        .orderBy('category')
        .select('category')
        .count();
      return rows.map(({ category, count }) => ({ category: String(category), plugins: Number(count) }));
    },
    async alike({ publisher, name }) {
      const plugin = await database('plugin_listings').where({ publisher, name }).first('plugin_id');
      if (plugin === undefined) return null;
      const found = listings()
        .join('plugin_neighbours as n', 'n.neighbour_id', 'l.plugin_id')
        .where('n.plugin_id', plugin.plugin_id)
        .select({ rank: 'n.likeness' });
      return shown(found);
    },
    async refresh() {
      return database.transaction(async (transaction) => {
        // It looks at everything there is; nobody waits for it.
        await transaction.raw("set local statement_timeout = '5min'");
        const { rows } = await transaction.raw('select refresh_marketplace() as done');
        return rows[0].done;
      });
    },
    async unknownWords(search) {
      const { rows } = await database.raw(
        // A word may have outlived the last plugin that had it.
        `select word, array(select near.word from (
             select l.word from listing_words l where l.slips && listing_slips_of(terms.word)
             order by abs(length(l.word) - length(terms.word)), l.word limit ?) as near
           where exists (select 1 from plugin_listings where document @@ quote_literal(near.word)::tsquery)) as neighbours
         from (select distinct unnest(listing_words_of(?)) as word) as terms
         where not exists (select 1 from plugin_listings where document @@ listing_query(terms.word))`,
        [NEIGHBOURS_MAX, search],
      );
      return rows;
    },
  };
}
