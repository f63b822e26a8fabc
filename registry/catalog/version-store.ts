import type { Knex } from 'knex';
import type { PublishedVersion } from '../contract.ts';
import { stoppedStagings } from '../stopped-stagings.ts';

export interface VersionStore {
  /** Every published version of these plugins but those whose staging was stopped, in no order. */
  published(plugins: { publisher: string; name: string }[]): Promise<PublishedVersion[]>;
}

export function createVersionStore(database: Knex): VersionStore {
  return {
    published: async (plugins) => {
      if (plugins.length === 0) return [];
      const rows = await database('releases')
        .join('plugins', 'plugins.id', 'releases.plugin_id')
        .join('organisations as publishers', 'publishers.id', 'plugins.organisation_id')
        .where({ 'releases.state': 'published', 'releases.blocked': null })
        .whereIn(
          ['publishers.slug', 'plugins.name'],
          plugins.map(({ publisher, name }) => [publisher, name]),
        )
        .whereNotExists(stoppedStagings(database))
        .select({
          releaseId: 'releases.id',
          version: 'releases.version',
          publishedAt: 'releases.reviewed_at',
          deprecated: 'releases.deprecated',
          publisher: 'publishers.slug',
          name: 'plugins.name',
          tags: database.raw('array(select tag from dist_tags where dist_tags.release_id = releases.id)'),
        });
      return rows.map(({ publisher, name, publishedAt, ...rest }) => ({
        plugin: `${publisher}/${name}`,
        publishedAt: publishedAt.toISOString(),
        ...rest,
      }));
    },
  };
}
