import type { Knex } from 'knex';

/** How often a listing was looked at on one day (UTC, `2030-01-31`). */
export interface ViewCount {
  pluginId: string;
  day: string;
  count: number;
}

export interface ViewStore {
  /** Adds all of it or nothing. */
  add(counts: ViewCount[]): Promise<void>;
}

export const createViewStore = (database: Knex): ViewStore => ({
  async add(counts) {
    // In one order, so that two hosts that write at once never wait for each other in a circle.
    const sorted = counts.toSorted((a, b) => (a.pluginId + a.day < b.pluginId + b.day ? -1 : 1));
    await database('listing_views')
      .insert(sorted.map(({ pluginId, day, count }) => ({ plugin_id: pluginId, day, count })))
      .onConflict(['plugin_id', 'day'])
      .merge({ count: database.raw('listing_views.count + excluded.count') });
  },
});
