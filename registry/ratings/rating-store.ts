import type { Knex } from 'knex';
import type { Rating } from './contract.ts';

export interface StoredRating extends Omit<Rating, 'own'> {
  organisationId: string;
  pluginId: string;
  publisherId: string;
}

export interface StoredReport {
  id: string;
  rating: StoredRating;
  reason: string;
  createdAt: string;
}

export interface RatingStore {
  findPlugin(name: { publisher: string; name: string }): Promise<{ id: string; publisherId: string } | null>;
  /** The version that the operator has, or had last; null where it never installed the plugin. */
  installedVersion(operatorId: string, pluginId: string): Promise<string | null>;
  /** Whether somebody is a member of both. */
  shareMember(one: string, other: string): Promise<boolean>;
  save(rating: {
    id: string;
    pluginId: string;
    organisationId: string;
    accountId: string | null;
    stars: number;
    body: string;
    version: string;
    atMs: number;
  }): Promise<void>;
  remove(pluginId: string, organisationId: string): Promise<void>;
  findOf(pluginId: string, organisationId: string): Promise<StoredRating | null>;
  find(id: string): Promise<StoredRating | null>;
  /** Newest first, before `before`. Of hidden ones only those of the organisation `seer`, or all. */
  list(pluginId: string, seer: string | 'all', before: string | null, count: number): Promise<StoredRating[]>;
  vote(id: string, organisationId: string, helpful: boolean | null): Promise<void>;
  reply(id: string, reply: { body: string; atMs: number } | null): Promise<void>;
  report(report: { id: string; ratingId: string; organisationId: string; reason: string }): Promise<void>;
  openReports(after: string | null, count: number): Promise<StoredReport[]>;
  hide(id: string, reason: string | null, atMs: number): Promise<void>;
}

export function createRatingStore(database: Knex): RatingStore {
  const ratings = () =>
    database('ratings')
      .join('plugins', 'plugins.id', 'ratings.plugin_id')
      .join('organisations as publishers', 'publishers.id', 'plugins.organisation_id');
  const columns = [
    'ratings.*',
    { rating_id: 'ratings.id', publisher: 'publishers.slug', name: 'plugins.name', publisher_id: 'publishers.id' },
  ];
  const first = async (query: Knex.QueryBuilder) => {
    const row = await query.first(columns);
    return row === undefined ? null : ratingOf(row);
  };
  return {
    async findPlugin({ publisher, name }) {
      const row = await database('plugin_listings')
        .join('plugins', 'plugins.id', 'plugin_listings.plugin_id')
        .where({ publisher, 'plugin_listings.name': name })
        .first({ id: 'plugins.id', publisherId: 'plugins.organisation_id' });
      return row ?? null;
    },
    async installedVersion(operatorId, pluginId) {
      const row = await database('installations')
        .join('releases', 'releases.id', 'installations.release_id')
        .where({ operator_id: operatorId, plugin_id: pluginId })
        .orderByRaw('deleted_at desc nulls first')
        .first('releases.version');
      return row?.version ?? null;
    },
    async shareMember(one, other) {
      const { rows } = await database.raw('select organisations_share_member(?, ?) as shared', [one, other]);
      return rows[0].shared;
    },
    async save({ id, pluginId, organisationId, accountId, atMs, ...said }) {
      const at = new Date(atMs);
      await database('ratings')
        .insert({
          ...{ id, plugin_id: pluginId, organisation_id: organisationId, account_id: accountId, ...said },
          ...{ created_at: at, updated_at: at },
        })
        .onConflict(['plugin_id', 'organisation_id'])
        .merge({ ...said, account_id: accountId, updated_at: at });
    },
    async remove(pluginId, organisationId) {
      const own = { plugin_id: pluginId, organisation_id: organisationId };
      await database('ratings')
        .where({ ...own, hidden: null })
        .delete();
      await database('ratings').where(own).update({ body: '', account_id: null });
    },
    findOf: (pluginId, organisationId) =>
      first(ratings().where({ plugin_id: pluginId, 'ratings.organisation_id': organisationId })),
    find: (id) => first(ratings().where({ 'ratings.id': id })),
    async list(pluginId, seer, before, count) {
      const query = ratings().where({ plugin_id: pluginId }).orderBy('ratings.id', 'desc').limit(count);
      if (seer !== 'all') query.whereRaw('(hidden is null or ratings.organisation_id = ?)', [seer]);
      if (before !== null) query.where('ratings.id', '<', before);
      return (await query.select(columns)).map(ratingOf);
    },
    async vote(id, organisationId, helpful) {
      const mine = { rating_id: id, organisation_id: organisationId };
      if (helpful === null) await database('rating_votes').where(mine).delete();
      else {
        await database('rating_votes')
          .insert({ ...mine, helpful })
          .onConflict(['rating_id', 'organisation_id'])
          .merge(['helpful']);
      }
    },
    async reply(id, reply) {
      await database('ratings')
        .where({ id })
        .update({ reply: reply?.body ?? null, replied_at: reply && new Date(reply.atMs) });
    },
    async report({ id, ratingId, organisationId, reason }) {
      await database('rating_reports')
        .insert({ id, rating_id: ratingId, organisation_id: organisationId, reason })
        .onConflict(['rating_id', 'organisation_id'])
        .ignore();
    },
    async openReports(after, count) {
      const query = ratings()
        .join('rating_reports as r', 'r.rating_id', 'ratings.id')
        .where({ settled_at: null })
        .orderBy('r.id')
        .limit(count);
      if (after !== null) query.where('r.id', '>', after);
      const rows = await query.select([
        ...columns,
        { report_id: 'r.id', reason: 'r.reason', reported_at: 'r.created_at' },
      ]);
      return rows.map((row) => ({
        id: row.report_id,
        rating: ratingOf(row),
        reason: row.reason,
        createdAt: row.reported_at.toISOString(),
      }));
    },
    async hide(id, reason, atMs) {
      await database('ratings').where({ id }).update({ hidden: reason });
      await database('rating_reports')
        .where({ rating_id: id, settled_at: null })
        .update({ settled_at: new Date(atMs) });
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a row of the query above
const ratingOf = (row: any): StoredRating => ({
  id: row.rating_id,
  plugin: `${row.publisher}/${row.name}`,
  pluginId: row.plugin_id,
  publisherId: row.publisher_id,
  organisationId: row.organisation_id,
  stars: row.stars,
  body: row.body,
  version: row.version,
  helpful: row.helpful,
  unhelpful: row.unhelpful,
  reply: row.reply === null ? null : { body: row.reply, at: row.replied_at.toISOString() },
  hidden: row.hidden,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});
