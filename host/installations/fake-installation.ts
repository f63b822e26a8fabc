import { v7 as uuidv7 } from 'uuid';
import type { TestDatabase } from '../../migrations/test-database.ts';
import { sha256Hex } from '../../plugins-sdk/contract/index.ts';

/** For tests of stores: writes an operator unless one is given, a publisher, a release and an installation of it; returns its id. */
export async function addInstallation(
  { knex }: TestDatabase,
  manifest: object = {},
  operator?: string,
): Promise<string> {
  const [operatorId, publisherId, pluginId, releaseId, id] = Array.from({ length: 5 }, () => uuidv7()) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const slug = `s${id.slice(-12)}`;
  await knex('organisations').insert([
    ...(operator === undefined ? [{ id: operatorId, slug: `o${slug}`, kind: 'operator', name: 'Arcade One' }] : []),
    { id: publisherId, slug: `p${slug}`, kind: 'publisher', name: 'Acme Labs' },
  ]);
  await knex('plugins').insert({ id: pluginId, organisation_id: publisherId, name: 'hello' });
  await knex('releases').insert({
    id: releaseId,
    plugin_id: pluginId,
    version: '1.0.0',
    state: 'in-review',
    manifest: JSON.stringify(manifest),
    digest: sha256Hex(id),
    bundle_digest: sha256Hex(id),
    bundle_bytes: 1,
    envelope: '{}',
  });
  await knex('installations').insert({ id, operator_id: operator ?? operatorId, slug, release_id: releaseId });
  return id;
}
