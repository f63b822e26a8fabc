import type { Knex } from 'knex';

export interface RankingRow {
  score: number;
  place: number;
  of: number;
  /** In the order of the formula. */
  terms: { term: string; weight: number; value: number }[];
  ratings: number;
  rating: number;
  expected: number;
  operators: number;
  operatorsEver: number;
  uninstalled: number;
  invocations: number;
  faults: number;
  ageDays: number;
}

export interface RankingStore {
  /** Null where nobody may see the plugin. */
  find(plugin: { publisher: string; name: string }): Promise<RankingRow | null>;
}

/** A plugin that was not counted yet stands as one that nobody has. */
const FACTS = `
  select l.plugin_id, coalesce(s.ratings, 0) as ratings, coalesce(s.rating, 0) as rating, coalesce(s.expected_rating, 3.5) as expected,
    coalesce(s.operators, 0) as operators, coalesce(s.operators_ever, 0) as "operatorsEver",
    coalesce(s.uninstalled, 0) as uninstalled, coalesce(s.invocations, 0)::double precision as invocations,
    coalesce(s.faults, 0)::double precision as faults,
    coalesce(s.age_days, extract(epoch from now() - l.published_at)::double precision / 86400) as "ageDays"
  from plugin_listings l left join plugin_standing s using (plugin_id)
  where l.publisher = ? and l.name = ?`;

export const createRankingStore = (database: Knex): RankingStore => ({
  async find({ publisher, name }) {
    const { rows } = await database.raw(
      `select f.*, t.terms, t.score,
         1 + (select count(*)::int from plugin_standing other where other.score > t.score and other.plugin_id <> f.plugin_id) as place,
         (select count(*)::int from plugin_listings) as "of"
       from (${FACTS}) as f, lateral (
         select json_agg(p) as terms, sum(p.weight * p.value) as score
         from popularity_terms(f.expected, f.operators, f."operatorsEver", f.uninstalled, f.invocations::bigint, f.faults::bigint,
           f."ageDays") as p) as t`,
      [publisher, name],
    );
    return rows[0] ?? null;
  },
});
