import type { Knex } from 'knex';
import type { Principal } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { cursorKey, pageLimit, pageOf } from '../page.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { can } from '../rules/permissions.ts';
import { pluginName } from '../rules/plugin-name.ts';
import { storedText } from '../rules/stored-text.ts';
import type { Rating, Ratings } from './contract.ts';
import { createRatingStore, type RatingStore, type StoredRating } from './rating-store.ts';

export interface RatingPorts {
  /** For whoever acts. */
  database: Knex;
  nowMs: () => number;
  /** A new UUIDv7. */
  newId: () => string;
  auditIn(database: Knex): Audit;
}

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Ratings over one database. */
export function createRatings({ database, nowMs, newId, auditIn }: RatingPorts): Ratings {
  const store = createRatingStore(database);
  return {
    async list(actor, { plugin, ...page }) {
      const limit = pageLimit(page);
      const before = cursorKey(page, ID);
      const named = pluginName(plugin);
      const found = named && (await store.findPlugin(named));
      const rows = found ? await store.list(found.id, seerOf(actor), before, limit + 1) : [];
      return pageOf(rows, limit, shownTo(actor), ({ id }) => id);
    },
    rate: (actor, wish) =>
      database.transaction(async (transaction) => {
        const rating = await rate({ store: createRatingStore(transaction), nowMs, newId })(actor, wish);
        await auditIn(transaction)({
          action: 'rating.write',
          actor,
          organisationId: actor.organisation.id,
          subject: { kind: 'rating', id: rating.id },
          after: { plugin: rating.plugin, stars: rating.stars },
        });
        return rating;
      }),
    async withdraw(actor, plugin) {
      const named = pluginName(plugin);
      const found = named && (await store.findPlugin(named));
      if (found) await store.remove(found.id, actor.organisation.id);
    },
    async vote(actor, ratingId, helpful) {
      const { publisherId } = await others(store, actor, ratingId);
      // To vote for praise, or against blame, of what is one's own is to praise it.
      if (await store.shareMember(actor.organisation.id, publisherId)) throw new RegistryRefusal('rating-own-plugin');
      await store.vote(ratingId, actor.organisation.id, helpful);
      return shownTo(actor)(await known(store, ratingId));
    },
    async reply(actor, ratingId, body) {
      const { plugin } = await known(store, ratingId);
      if (!plugin.startsWith(`${actor.organisation.slug}/`)) throw new RegistryRefusal('rating-unknown');
      return database.transaction(async (transaction) => {
        const within = createRatingStore(transaction);
        await within.reply(ratingId, body === null ? null : { body: storedText(body), atMs: nowMs() });
        const organisationId = actor.organisation.id;
        const subject = { kind: 'rating', id: ratingId };
        if (body !== null) await auditIn(transaction)({ action: 'rating.reply', actor, organisationId, subject });
        return shownTo(actor)(await known(within, ratingId));
      });
    },
    async report(actor, ratingId, reason) {
      await others(store, actor, ratingId);
      const organisationId = actor.organisation.id;
      await store.report({ id: newId(), ratingId, organisationId, reason: storedText(reason) });
    },
    async reports(page) {
      const limit = pageLimit(page);
      const rows = await store.openReports(cursorKey(page, ID), limit + 1);
      const shown = shownTo(null);
      return pageOf(
        rows,
        limit,
        ({ rating, ...report }) => ({ ...report, rating: shown(rating) }),
        ({ id }) => id,
      );
    },
    moderate: (actor, ratingId, hide) =>
      database.transaction(async (transaction) => {
        const within = createRatingStore(transaction);
        const before = await known(within, ratingId);
        await within.hide(ratingId, hide, nowMs());
        await auditIn(transaction)({
          action: hide === null ? 'rating.show' : 'rating.hide',
          actor,
          organisationId: before.organisationId,
          subject: { kind: 'rating', id: ratingId },
          before: { hidden: before.hidden },
          after: { hidden: hide },
        });
        return shownTo(actor)({ ...before, hidden: hide });
      }),
  };
}

/** Refuses with: plugin-unlisted, rating-not-installed, rating-own-plugin. */
const rate =
  ({ store, nowMs, newId }: { store: RatingStore } & Pick<RatingPorts, 'nowMs' | 'newId'>): Ratings['rate'] =>
  async (actor, { plugin, stars, body }) => {
    const { id: organisationId } = actor.organisation;
    const named = pluginName(plugin);
    const found = named && (await store.findPlugin(named));
    if (!found) throw new RegistryRefusal('plugin-unlisted', undefined, { plugin });
    const version = await store.installedVersion(organisationId, found.id);
    if (version === null) throw new RegistryRefusal('rating-not-installed', undefined, { plugin });
    if (await store.shareMember(organisationId, found.publisherId)) throw new RegistryRefusal('rating-own-plugin');
    const accountId = actor.account?.id ?? null;
    const said = { stars, body: storedText(body), version };
    await store.save({ id: newId(), pluginId: found.id, organisationId, accountId, ...said, atMs: nowMs() });
    return shownTo(actor)((await store.findOf(found.id, organisationId))!);
  };

async function known(store: RatingStore, id: string): Promise<StoredRating> {
  const found = await store.find(id);
  if (found === null) throw new RegistryRefusal('rating-unknown');
  return found;
}

/** Nobody judges what they wrote themselves. */
async function others(store: RatingStore, actor: Principal, id: string): Promise<StoredRating> {
  const found = await known(store, id);
  if (found.organisationId === actor.organisation.id) throw new RegistryRefusal('rating-own');
  return found;
}

const seerOf = (actor: Principal) => (can(actor.role, 'rating:moderate') ? 'all' : actor.organisation.id);

const shownTo =
  (actor: Principal | null) =>
  ({ organisationId, pluginId: _, publisherId: __, ...rating }: StoredRating): Rating => ({
    ...rating,
    own: organisationId === actor?.organisation.id,
  });
