import type { Knex } from 'knex';
import type { DistTag } from './life-contract.ts';

export interface TagStore {
  /** Those that point at what may be installed, by name. */
  list(pluginId: string): Promise<DistTag[]>;
  /** The version that it points at; null where there is no such tag. */
  find(pluginId: string, tag: string): Promise<string | null>;
  save(tag: { id: string; pluginId: string; tag: string; releaseId: string }): Promise<void>;
  /** False where there was none. */
  remove(pluginId: string, tag: string): Promise<boolean>;
  /** Of a release that is not to be installed any more. */
  removeOf(releaseId: string): Promise<void>;
}

export function createTagStore(database: Knex): TagStore {
  const tags = () => database('dist_tags').join('releases', 'releases.id', 'dist_tags.release_id');
  return {
    list: async (pluginId) => {
      const rows = await tags()
        .where({ 'dist_tags.plugin_id': pluginId, 'releases.state': 'published', 'releases.blocked': null })
        .orderBy('tag')
        .select('tag', 'version', 'dist_tags.updated_at');
      return rows.map(({ tag, version, updated_at }) => ({ tag, version, updatedAt: updated_at.toISOString() }));
    },
    find: async (pluginId, tag) =>
      (await tags().where({ 'dist_tags.plugin_id': pluginId, tag }).first('version'))?.version ?? null,
    async save({ id, pluginId, tag, releaseId }) {
      await database('dist_tags')
        .insert({ id, plugin_id: pluginId, tag, release_id: releaseId })
        .onConflict(['plugin_id', 'tag'])
        .merge(['release_id']);
    },
    remove: async (pluginId, tag) => (await database('dist_tags').where({ plugin_id: pluginId, tag }).delete()) === 1,
    async removeOf(releaseId) {
      await database('dist_tags').where({ release_id: releaseId }).delete();
    },
  };
}
