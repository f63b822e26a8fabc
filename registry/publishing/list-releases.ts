import type { Principal, Registry } from '../contract.ts';
import { cursorKey, pageLimit, pageOf } from '../page.ts';
import { UUID_PATTERN } from '../rules/ids.ts';
import { pluginName } from '../rules/plugin-name.ts';
import { may } from '../rules/token-rights.ts';
import type { ReleaseStore } from './release-store.ts';

/** Newest first. Refuses with: cursor-invalid. */
export const listReleases =
  (ports: { releases: ReleaseStore }): Registry['listReleases'] =>
  async (actor, filter) => {
    const limit = pageLimit(filter);
    const beforeId = cursorKey(filter, UUID_PATTERN);
    const named = filter.plugin === undefined ? {} : pluginName(filter.plugin);
    if (named === null) return { items: [], nextCursor: null };
    const rows = await ports.releases.list({
      ...named,
      ...(filter.state === undefined ? {} : { state: filter.state }),
      ...(seesAll(actor) ? {} : { visibleTo: actor.organisation.slug }),
      beforeId,
      count: limit + 1,
    });
    return pageOf(
      rows,
      limit,
      ({ release }) => release,
      ({ release }) => release.id,
    );
  };

/** Moderators review releases and admins help with them, so both see them in every state. */
export const seesAll = (actor: Principal): boolean => may(actor, 'release:review') || actor.role === 'admin';
