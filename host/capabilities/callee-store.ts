import type { Knex } from 'knex';

/** Ids of the installations of a plugin that an operator has, the oldest first. `plugin` is `<publisher>/<name>`. */
export async function installationsOfPlugin(database: Knex, operatorId: string, plugin: string): Promise<string[]> {
  const [publisher, name] = plugin.split('/') as [string, string];
  const rows = await database('installations AS installation')
    .join('releases AS release', 'release.id', 'installation.release_id')
    .join('plugins AS plugin', 'plugin.id', 'release.plugin_id')
    .join('organisations AS publisher', 'publisher.id', 'plugin.organisation_id')
    .where({ 'installation.operator_id': operatorId, 'publisher.slug': publisher, 'plugin.name': name })
    .whereNull('installation.deleted_at')
    .orderBy('installation.id')
    .select('installation.id');
  return rows.map(({ id }) => id);
}
