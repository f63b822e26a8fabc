import type { Knex } from 'knex';
import { demandsOf, type Present } from './rules/requirements.ts';

export interface DemandStore {
  /** All installations of an operator with what their releases require, the oldest first; none that is not installed to the end. */
  of(operatorId: string): Promise<Present[]>;
}

export const demandStore = (database: Knex): DemandStore => ({
  of: async (operatorId) => {
    const rows = await database('installations as installation')
      .join('releases as release', 'release.id', 'installation.release_id')
      .join('plugins as plugin', 'plugin.id', 'release.plugin_id')
      .join('organisations as publisher', 'publisher.id', 'plugin.organisation_id')
      .where({ 'installation.operator_id': operatorId, 'installation.installing': false })
      .whereNull('installation.deleted_at')
      .orderBy('installation.id')
      .select({
        id: 'installation.id',
        slug: 'installation.slug',
        publisher: 'publisher.slug',
        name: 'plugin.name',
        version: 'release.version',
        dependencies: database.raw(`release.manifest -> 'dependencies'`),
      });
    return rows.map(({ id, slug, publisher, name, version, dependencies }) => ({
      id,
      slug,
      plugin: `${publisher}/${name}`,
      version,
      requires: demandsOf({ dependencies: dependencies ?? undefined }),
    }));
  },
});
