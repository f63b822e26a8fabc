import { createHmac } from 'node:crypto';
import type { Knex } from 'knex';
import { EVENT_TYPES } from './event-types.ts';
import {
  type EntryFacts,
  eventsOfEntry,
  type InstallationFacts,
  type NewFeedEvent,
  TOLD_ACTIONS,
  type ToldEntry,
} from './events-of-entry.ts';

export interface UnfoldPorts {
  /** Reads what happened to everybody, and writes it to whom it concerns. */
  system: Knex;
  nowMs(): number;
  /** UUIDv7, in order. */
  newId(): string;
  /** An entry that no event can be made of is left out: it must not stop the feed of everybody. */
  onUnreadable(entryId: string, error: unknown): void;
}

const BATCH = 200;

/**
 * Reads the audit trail on, and writes events and deliveries with how far it was read: all of it or nothing. One host at a time; another
 * one that comes meanwhile has nothing to do. Returns whether there is more to read.
 */
export async function unfoldTrail({ system, nowMs, newId, onUnreadable }: UnfoldPorts): Promise<boolean> {
  const { rows: behind } = await system.raw(
    'select 1 from feed_cursor join audit_chain on audit_chain.sequence > feed_cursor.sequence',
  );
  if (behind.length === 0) return false;
  return system.transaction(async (transaction) => {
    const cursor = await transaction('feed_cursor').forUpdate().skipLocked().first('sequence', 'salt');
    if (cursor === undefined) return false;
    const links: { sequence: string; content: string }[] = await transaction('audit_links as l')
      .join('audit_entries as e', 'e.id', 'l.entry_id')
      .where('l.sequence', '>', cursor.sequence)
      .orderBy('l.sequence')
      .limit(BATCH)
      .select(
        'l.sequence',
        transaction.raw('case when e.action = any (?) then e.content end as content', [[...TOLD_ACTIONS]]),
      );
    if (links.length === 0) return false;
    const facts = factsIn(transaction, cursor.salt);
    for (const { content } of links.filter((link) => link.content !== null)) {
      const entry = JSON.parse(content) as ToldEntry;
      const events = await eventsOfEntry(entry, facts).catch((error) => {
        // What the database says ends the transaction, and is tried again.
        if ((error as { code?: unknown }).code !== undefined) throw error;
        onUnreadable(entry.id, error);
        return [];
      });
      for (const event of events) await write(transaction, { at: entry.at, event, newId, nowMs });
    }
    await transaction('feed_cursor').update({ sequence: links.at(-1)!.sequence });
    return links.length === BATCH;
  });
}

async function write(
  transaction: Knex,
  { at, event, newId, nowMs }: Pick<UnfoldPorts, 'newId' | 'nowMs'> & { at: string; event: NewFeedEvent },
): Promise<void> {
  const { organisationId, type, payload } = event;
  const { rows } = await transaction.raw(
    `insert into feed_positions as p (organisation_id, position) values (?, 1)
     on conflict (organisation_id) do update set position = p.position + 1 returning position`,
    [organisationId],
  );
  const id = newId();
  await transaction('feed_events').insert({
    id,
    organisation_id: organisationId,
    position: rows[0].position,
    type,
    version: EVENT_TYPES[type].version,
    at,
    payload: JSON.stringify(payload),
  });
  const endpoints: string[] = await transaction('webhook_endpoints')
    .where({ organisation_id: organisationId, state: 'active' })
    .whereRaw("(types = '{}' or ? = any (types))", [type])
    // None of them is removed meanwhile.
    .forKeyShare()
    .pluck('id');
  if (endpoints.length === 0) return;
  const now = new Date(nowMs());
  await transaction('webhook_deliveries').insert(
    endpoints.map((endpointId) => ({
      id: newId(),
      endpoint_id: endpointId,
      organisation_id: organisationId,
      event_id: id,
      cause: 'event',
      next_at: now,
      created_at: now,
    })),
  );
}

const factsIn = (transaction: Knex, salt: string): EntryFacts => ({
  release: async (id) => {
    const row = await namedPlugin(transaction, 'releases as r').where('r.id', id).first({
      publisherId: 'plugin.organisation_id',
      publisher: 'publisher.slug',
      name: 'plugin.name',
      version: 'r.version',
      digest: 'r.digest',
    });
    if (row === undefined) return null;
    const installations = await transaction('installations')
      .where({ release_id: id })
      .whereNull('deleted_at')
      .orderBy('slug')
      .select({ id: 'id', slug: 'slug', operatorId: 'operator_id' });
    const { publisherId, publisher, name, version, digest } = row;
    return { publisherId, plugin: `${publisher}/${name}`, version, digest, installations };
  },
  installation: async (id) => {
    const row = await namedPlugin(transaction, 'releases as r')
      .join('installations as i', 'i.release_id', 'r.id')
      .where('i.id', id)
      .first({
        operatorId: 'i.operator_id',
        publisherId: 'plugin.organisation_id',
        pluginId: 'plugin.id',
        publisher: 'publisher.slug',
        name: 'plugin.name',
        slug: 'i.slug',
        version: 'r.version',
      });
    if (row === undefined) return null;
    const { operatorId, publisherId, pluginId, publisher, name, slug, version } = row;
    const counted = await transaction('installations as i')
      .join('releases as r', 'r.id', 'i.release_id')
      .where('r.plugin_id', pluginId)
      .whereNull('i.deleted_at')
      .first(transaction.raw('count(*)::int as count'));
    return {
      ...{ operatorId, publisherId, slug, version },
      plugin: `${publisher}/${name}`,
      pseudonym: pseudonymOf(salt, publisherId, operatorId),
      installations: (counted as unknown as { count: number }).count,
    } satisfies InstallationFacts;
  },
  rating: async (id) => {
    const row = await transaction('ratings as rating')
      .join('plugins as plugin', 'plugin.id', 'rating.plugin_id')
      .join('organisations as publisher', 'publisher.id', 'plugin.organisation_id')
      .where('rating.id', id)
      .first({
        publisherId: 'publisher.id',
        publisher: 'publisher.slug',
        name: 'plugin.name',
        organisationId: 'rating.organisation_id',
        stars: 'rating.stars',
      });
    if (row === undefined) return null;
    const { publisherId, publisher, name, organisationId, stars } = row;
    return { publisherId, organisationId, plugin: `${publisher}/${name}`, stars };
  },
});

const namedPlugin = (transaction: Knex, releases: string) =>
  transaction(releases)
    .join('plugins as plugin', 'plugin.id', 'r.plugin_id')
    .join('organisations as publisher', 'publisher.id', 'plugin.organisation_id');

/** Two publishers cannot find out by it that they have the same customer. */
const pseudonymOf = (salt: string, publisherId: string, operatorId: string): string =>
  `op_${createHmac('sha256', salt).update(`${publisherId}/${operatorId}`).digest('hex').slice(0, 20)}`;
