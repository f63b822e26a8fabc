import { RegistryRefusal } from '../errors.ts';
import { isVersion, pluginName } from '../rules/plugin-name.ts';
import { isTag } from '../rules/version-range.ts';
import { type LifePorts, type LifeStores, ownPlugin } from './change-published.ts';
import type { ReleaseLife } from './life-contract.ts';

/** The id of an own plugin, locked. */
async function lockOwn(
  { releases }: LifeStores,
  actor: Parameters<ReleaseLife['setTag']>[0],
  plugin: string,
): Promise<string> {
  const { publisher, name } = ownPlugin(actor, plugin);
  const id = await releases.pluginId({ publisher, name });
  if (id === null) throw new RegistryRefusal('plugin-unknown', undefined, { plugin });
  await releases.lockPlugin({ id, organisationId: actor.organisation.id, publisher, name });
  return id;
}

export const setListed =
  ({ transaction, nowMs }: LifePorts): ReleaseLife['setListed'] =>
  (actor, plugin, listed) =>
    transaction(async (stores) => {
      const pluginId = await lockOwn(stores, actor, plugin);
      await stores.releases.saveListed(pluginId, listed ? null : new Date(nowMs()));
      await stores.audit({
        action: listed ? 'plugin.list' : 'plugin.unlist',
        actor,
        organisationId: actor.organisation.id,
        subject: { kind: 'plugin', id: pluginId },
        after: { plugin, listed },
      });
    });

export const listTags =
  ({ transaction }: LifePorts): ReleaseLife['listTags'] =>
  (plugin) =>
    transaction(async ({ releases, tags }) => {
      const named = pluginName(plugin);
      const pluginId = named && (await releases.pluginId(named));
      if (named === null || pluginId === null) throw new RegistryRefusal('plugin-unknown', undefined, { plugin });
      const newest = (await releases.findByName(named))?.release;
      const latest = newest ? [{ tag: 'latest', version: newest.version, updatedAt: newest.reviewedAt! }] : [];
      return [...latest, ...(await tags.list(pluginId))];
    });

export const setTag =
  (ports: LifePorts & { newId: () => string }): ReleaseLife['setTag'] =>
  async (actor, { plugin, tag, version }) => {
    requireTag(tag);
    await ports.transaction(async (stores) => {
      const pluginId = await lockOwn(stores, actor, plugin);
      const found = isVersion(version) ? await stores.releases.findByVersion(pluginId, version) : null;
      if (found === null) throw new RegistryRefusal('release-unknown', undefined, { plugin, version });
      const { state, blocked, id: releaseId } = found.release;
      if (state !== 'published' || blocked) {
        const message = `The release is ${blocked ? 'blocked' : state}; a channel points at a published one.`;
        throw new RegistryRefusal('release-state-invalid', message, { state });
      }
      const before = await stores.tags.find(pluginId, tag);
      if (before === version) return;
      await stores.tags.save({ id: ports.newId(), pluginId, tag, releaseId });
      await stores.audit({
        action: 'dist-tag.set',
        actor,
        organisationId: actor.organisation.id,
        subject: { kind: 'plugin', id: pluginId },
        before: before === null ? null : { tag, version: before },
        after: { plugin, tag, version },
      });
    });
    return listTags(ports)(plugin);
  };

export const removeTag =
  (ports: LifePorts): ReleaseLife['removeTag'] =>
  async (actor, { plugin, tag }) => {
    requireTag(tag);
    await ports.transaction(async (stores) => {
      const pluginId = await lockOwn(stores, actor, plugin);
      if (!(await stores.tags.remove(pluginId, tag))) return;
      await stores.audit({
        action: 'dist-tag.remove',
        actor,
        organisationId: actor.organisation.id,
        subject: { kind: 'plugin', id: pluginId },
        before: { plugin, tag },
      });
    });
    return listTags(ports)(plugin);
  };

function requireTag(tag: string): void {
  if (isTag(tag)) return;
  const message =
    tag === 'latest'
      ? 'latest is always the newest release; it cannot be set.'
      : `"${tag}" cannot be a channel: small letters, digits and hyphens, and nothing that reads as a range of versions.`;
  throw new RegistryRefusal('dist-tag-invalid', message, { tag });
}
