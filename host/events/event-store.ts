import type { Knex } from 'knex';
import { EVENT_BACKLOG_MAX, EVENT_SUBSCRIBERS_MAX } from '../../plugins-sdk/contract/index.ts';
import { keyBindings, onceFor, recording } from '../capabilities/call-results-store.ts';
import type { Delivery, EventStore } from './contract.ts';

/** Everybody of the operator who subscribed, may hear it and is enabled; not the publisher itself. */
const SUBSCRIBERS = `
  SELECT installation.id FROM installations AS installation JOIN releases AS release ON release.id = installation.release_id
  WHERE installation.operator_id = CAST(:operatorId AS uuid) AND installation.deleted_at IS NULL AND installation.enabled
    AND installation.id <> CAST(:installationId AS uuid) AND 'events' = ANY (installation.grants)
    AND EXISTS (
      SELECT FROM jsonb_array_elements(coalesce(release.manifest #> '{events,subscribes}', '[]')) AS subscribed
      WHERE subscribed ->> 'topic' = :topic AND coalesce(subscribed ->> 'from', :plugin) = :plugin)
  LIMIT ${EVENT_SUBSCRIBERS_MAX + 1}`;

/** Event, deliveries and the record of the call at once or not at all. */
const PUBLISH = `
  WITH subscriber AS (${SUBSCRIBERS}),
  under_way AS (SELECT 1 FROM event_deliveries
    WHERE operator_id = CAST(:operatorId AS uuid) AND given_up_at IS NULL LIMIT ${EVENT_BACKLOG_MAX}),
  counted AS (SELECT (SELECT count(*) FROM subscriber) AS subscribers, (SELECT count(*) FROM under_way) AS backlog),
  effect AS (
    INSERT INTO events (id, operator_id, installation_id, plugin, topic, payload, depth, seed)
    SELECT CAST(:eventId AS uuid), CAST(:operatorId AS uuid), CAST(:installationId AS uuid), :plugin, :topic, :payload, :depth, :seed
    FROM counted WHERE subscribers BETWEEN 1 AND ${EVENT_SUBSCRIBERS_MAX} AND backlog + subscribers <= ${EVENT_BACKLOG_MAX}
    RETURNING id),
  addressed AS (
    INSERT INTO event_deliveries (event_id, installation_id, operator_id)
    SELECT effect.id, subscriber.id, CAST(:operatorId AS uuid) FROM effect, subscriber),
  ${recording('effect, counted', `'{"subscribers":' || subscribers || ',"stored":true}'`)}
  SELECT subscribers, EXISTS (SELECT FROM effect) AS stored FROM counted`;

const CLAIM = `
  WITH due AS (
    SELECT event_id, installation_id FROM event_deliveries
    WHERE given_up_at IS NULL AND next_at <= now() AND (claimed_until IS NULL OR claimed_until <= now())
    ORDER BY next_at LIMIT :limit FOR UPDATE SKIP LOCKED),
  claimed AS (
    UPDATE event_deliveries AS delivery
    SET claimed_until = now() + make_interval(secs => CAST(:leaseSeconds AS float8)), claims = delivery.claims + 1
    FROM due WHERE delivery.event_id = due.event_id AND delivery.installation_id = due.installation_id
    RETURNING delivery.event_id, delivery.installation_id, delivery.attempt, delivery.claims)
  SELECT claimed.event_id AS "eventId", claimed.installation_id AS "installationId", attempt, claims, topic, payload, depth, seed,
    published_at, event.plugin, publisher.slug
  FROM claimed JOIN events AS event ON event.id = claimed.event_id
  JOIN installations AS publisher ON publisher.id = event.installation_id`;

type DeliveryRow = Omit<Delivery, 'publishedAtMs' | 'from'> & { published_at: Date; plugin: string; slug: string };

/** Events and their deliveries in PostgreSQL: several hosts share the work, and a host that dies leaves it to others. */
export function eventStore(database: Knex): EventStore {
  const rowOf = ({ eventId, installationId }: Delivery) =>
    database('event_deliveries').where({ event_id: eventId, installation_id: installationId });
  const inMs = (ms: number) => database.raw('now() + make_interval(secs => ?)', [ms / 1_000]);

  return {
    publish: (event, key) =>
      onceFor(database, key, async () => {
        const { eventId, installation, topic, payload, depth, seed } = event;
        const { rows } = await database.raw<{ rows: { subscribers: string; stored: boolean }[] }>(PUBLISH, {
          eventId,
          operatorId: installation.operator.id,
          installationId: installation.id,
          plugin: installation.plugin,
          topic,
          payload,
          depth,
          seed,
          ...keyBindings(key),
        } as never);
        const { subscribers, stored } = rows[0]!;
        return { subscribers: Number(subscribers), stored };
      }),
    claim: async (limit, leaseMs) => {
      const { rows } = await database.raw<{ rows: DeliveryRow[] }>(CLAIM, { limit, leaseSeconds: leaseMs / 1_000 });
      return rows.map(({ published_at: publishedAt, plugin, slug, ...rest }) => ({
        ...rest,
        publishedAtMs: publishedAt.getTime(),
        from: { plugin, installation: slug },
      }));
    },
    done: async (delivery) => {
      await rowOf(delivery).delete();
    },
    failed: async (delivery, error, delayMs) => {
      const change = {
        attempt: delivery.attempt + 1,
        claims: 0,
        claimed_until: null,
        error,
        ...(delayMs === null ? { given_up_at: database.fn.now() } : { next_at: inMs(delayMs) }),
      };
      await rowOf(delivery).where({ attempt: delivery.attempt }).update(change);
    },
    postpone: async (delivery, delayMs, begun) => {
      await rowOf(delivery)
        .where({ attempt: delivery.attempt })
        .update({
          claimed_until: null,
          next_at: inMs(delayMs),
          ...(begun ? {} : { claims: database.raw('greatest(claims - 1, 0)') }),
        });
    },
    sweep: async () => {
      await database('event_deliveries').where('given_up_at', '<', database.raw("now() - interval '7 days'")).delete();
      // An event without deliveries is kept for a while: that it was published is told by the record of the call.
      await database.raw(`DELETE FROM events AS event WHERE published_at < now() - interval '1 minute'
        AND NOT EXISTS (SELECT FROM event_deliveries AS delivery WHERE delivery.event_id = event.id)`);
    },
  };
}
