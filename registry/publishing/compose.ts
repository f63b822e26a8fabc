import type { Knex } from 'knex';
import { newestVersion } from '../rules/version.ts';
import { listTags, removeTag, setListed, setTag } from './change-plugin.ts';
import { deprecateRelease, type LifePorts, type LifeStores, yankRelease } from './change-published.ts';
import type { ReleaseLife } from './life-contract.ts';
import { createReleaseStore } from './release-store.ts';
import { createTagStore } from './tag-store.ts';

export interface ReleaseLifePorts {
  /** For whoever acts. */
  database: Knex;
  auditIn(transaction: Knex): LifeStores['audit'];
  logIn(transaction: Knex): LifeStores['logEvent'];
  nowMs: () => number;
  newId: () => string;
}

/**
 * Decides anew which release of a plugin is its newest, within a transaction: one whose staging was stopped only where there is no other.
 * Of several at once, each decides after the one before.
 */
export const chooseLatestIn = (transaction: Knex) => async (pluginId: string) => {
  const releases = createReleaseStore(transaction);
  await releases.lockPluginById(pluginId);
  const published = await releases.listPublishedVersions(pluginId);
  const newest = newestVersion(published.filter(({ isStopped }) => !isStopped)) ?? newestVersion(published);
  await releases.saveLatest(pluginId, newest?.id ?? null);
};

/** Keeps everybody from publishing and deciding on releases of a publisher until the transaction is over. */
export const lockPluginsIn = (transaction: Knex) => createReleaseStore(transaction).lockPluginsOf;

/** Blocks what a key that was stolen has signed, within a transaction; ids of what was not blocked yet. */
export const blockReleasesIn =
  (transaction: Knex) =>
  async (organisationId: string, key: { keyId: string; since: Date }, at: string): Promise<string[]> => {
    const reason = `Its key ${key.keyId.slice(0, 16)}… was stolen: what came since ${key.since.toISOString()} is not its publisher's.`;
    const blocked = await createReleaseStore(transaction).blockSignedBy(organisationId, key, { at, reason });
    for (const pluginId of new Set(blocked.map((each) => each.pluginId))) await chooseLatestIn(transaction)(pluginId);
    return blocked.map(({ id }) => id);
  };

export function createReleaseLife({ database, auditIn, logIn, nowMs, newId }: ReleaseLifePorts): ReleaseLife {
  const ports: LifePorts & { newId: () => string } = {
    transaction: (work) =>
      database.transaction((transaction) =>
        work({
          releases: createReleaseStore(transaction),
          tags: createTagStore(transaction),
          chooseLatest: chooseLatestIn(transaction),
          audit: auditIn(transaction),
          logEvent: logIn(transaction),
        }),
      ),
    nowMs,
    newId,
  };
  return {
    yank: yankRelease(ports),
    deprecate: deprecateRelease(ports),
    setListed: setListed(ports),
    listTags: listTags(ports),
    setTag: setTag(ports),
    removeTag: removeTag(ports),
  };
}
