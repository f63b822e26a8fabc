import type { Knex } from 'knex';
import type { Manifest } from '../../plugins-sdk/contract/index.ts';

export interface ListedPlugin {
  publisher: string;
  name: string;
  version: string;
  manifest: Manifest;
}

export interface ListingStore {
  /** By publisher and name, after `after`. `search` is found anywhere in name, title or description, without case. */
  list(filter: {
    search?: string;
    after: { publisher: string; name: string } | null;
    count: number;
  }): Promise<ListedPlugin[]>;
}

export function createListingStore(database: Knex): ListingStore {
  return {
    async list({ search, after, count }) {
      const query = database('plugins')
        .join('organisations as publishers', 'publishers.id', 'plugins.organisation_id')
        .join('releases', 'releases.id', 'plugins.latest_release_id')
        .where({ 'releases.state': 'published', 'releases.blocked': null, 'plugins.unlisted_at': null })
        .select('publishers.slug as publisher', 'plugins.name', 'releases.version', 'releases.manifest')
        .orderBy(['publishers.slug', 'plugins.name'])
        .limit(count);
      if (after) query.whereRaw('(publishers.slug, plugins.name) > (?, ?)', [after.publisher, after.name]);
      if (search) {
        const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`;
        query.whereRaw(
          `(publishers.slug || '/' || plugins.name ilike ? or releases.manifest ->> 'title' ilike ?
            or releases.manifest ->> 'description' ilike ?)`,
          [pattern, pattern, pattern],
        );
      }
      return query;
    },
  };
}
