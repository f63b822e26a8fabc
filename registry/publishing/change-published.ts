import type { Principal, ReleaseNotice } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { isUuid } from '../rules/ids.ts';
import type { LogInTransaction } from '../rules/log-event.ts';
import { pluginName } from '../rules/plugin-name.ts';
import { storedText } from '../rules/stored-text.ts';
import { may } from '../rules/token-rights.ts';
import type { NoticeWish, ReleaseLife } from './life-contract.ts';
import type { ReleaseStore, StoredRelease } from './release-store.ts';
import type { TagStore } from './tag-store.ts';

export interface LifeStores {
  releases: ReleaseStore;
  tags: TagStore;
  /** Decides anew which release of the plugin is its newest. */
  chooseLatest(pluginId: string): Promise<void>;
  audit: Audit;
  logEvent: LogInTransaction;
}

export interface LifePorts {
  transaction<Result>(work: (stores: LifeStores) => Promise<Result>): Promise<Result>;
  nowMs: () => number;
}

export const yankRelease =
  ({ transaction, nowMs }: LifePorts): ReleaseLife['yank'] =>
  (actor, releaseId, wish) =>
    transaction(async (stores) => {
      const found = await lockPublished(stores, actor, releaseId);
      const { release, pluginId } = found;
      if (release.state === 'yanked') return release;
      if (release.state !== 'published') refuseState(release.state, 'yanked');
      const yanked = await noticeOf(stores, found, wish, nowMs());
      await stores.releases.saveNotice(release.id, { state: 'yanked', yanked });
      await stores.tags.removeOf(release.id);
      await stores.chooseLatest(pluginId);
      await note(stores, actor, found, 'release.yank', yanked);
      return (await stores.releases.findById(release.id))!.release;
    });

export const deprecateRelease =
  ({ transaction, nowMs }: LifePorts): ReleaseLife['deprecate'] =>
  (actor, releaseId, wish) =>
    transaction(async (stores) => {
      const found = await lockPublished(stores, actor, releaseId);
      const { release } = found;
      if (wish === null && release.deprecated === null) return release;
      if (release.state !== 'published') refuseState(release.state, 'deprecated');
      const deprecated = wish && (await noticeOf(stores, found, wish, nowMs()));
      if (sameNotice(deprecated, release.deprecated)) return release;
      await stores.releases.saveNotice(release.id, { deprecated });
      await note(stores, actor, found, deprecated ? 'release.deprecate' : 'release.undeprecate', deprecated);
      return (await stores.releases.findById(release.id))!.release;
    });

const sameNotice = (one: ReleaseNotice | null, other: ReleaseNotice | null): boolean =>
  one?.reason === other?.reason && one?.replacement === other?.replacement;

/** The release with its plugin locked: of the actor's own, or any for whoever reviews. Others learn nothing. */
async function lockPublished(stores: LifeStores, actor: Principal, releaseId: string): Promise<StoredRelease> {
  const found = isUuid(releaseId) ? await stores.releases.findById(releaseId) : null;
  if (found === null || !(found.publisherId === actor.organisation.id || may(actor, 'release:review')))
    throw new RegistryRefusal('release-unknown');
  requireUnrestricted(actor, found.release.plugin);
  const { pluginId: id, publisherId: organisationId, publisherSlug: publisher, pluginName: name } = found;
  await stores.releases.lockPlugin({ id, organisationId, publisher, name });
  // Read again: what was true before the lock may not be true under it.
  return (await stores.releases.findById(releaseId))!;
}

/** Refuses with: token-restricted. */
export function requireUnrestricted(actor: Principal, plugin: string): void {
  const only = actor.restrictions?.plugin;
  if (only !== undefined && only !== plugin)
    throw new RegistryRefusal('token-restricted', `The token is for ${only} only.`, { plugin: only });
}

async function noticeOf(
  { releases }: LifeStores,
  { pluginId, release }: StoredRelease,
  { reason, replacement }: NoticeWish,
  atMs: number,
): Promise<ReleaseNotice> {
  if (replacement !== undefined) {
    const other = (await releases.findByVersion(pluginId, replacement))?.release;
    if (!other || other.id === release.id)
      throw new RegistryRefusal('release-unknown', `${replacement} is no other version of ${release.plugin}.`);
    if (other.state !== 'published' || other.blocked) refuseState(other.state, 'the replacement');
  }
  return { at: new Date(atMs).toISOString(), reason: storedText(reason), replacement: replacement ?? null };
}

function refuseState(state: string, verb: string): never {
  throw new RegistryRefusal('release-state-invalid', `The release is ${state}, so it cannot be ${verb}.`, { state });
}

async function note(
  { audit, logEvent }: LifeStores,
  actor: Principal,
  { release, publisherId, publisherSlug, pluginName }: StoredRelease,
  event: 'release.yank' | 'release.deprecate' | 'release.undeprecate',
  notice: ReleaseNotice | null,
): Promise<void> {
  const { id, plugin, version, digest } = release;
  await audit({
    action: event,
    actor,
    organisationId: publisherId,
    subject: { kind: 'release', id },
    after: { plugin, version, digest, ...(notice && { reason: notice.reason, replacement: notice.replacement }) },
  });
  await logEvent({ event, release: { publisher: publisherSlug, name: pluginName, version, digest } });
}

/** The two parts of an own plugin's name. Refuses with: plugin-unknown, token-restricted. */
export function ownPlugin(actor: Principal, plugin: string): { publisher: string; name: string } {
  const named = pluginName(plugin);
  if (named === null || named.publisher !== actor.organisation.slug || actor.organisation.kind !== 'publisher')
    throw new RegistryRefusal('plugin-unknown', undefined, { plugin });
  requireUnrestricted(actor, plugin);
  return named;
}
