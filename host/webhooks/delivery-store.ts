import type { Knex } from 'knex';
import type { Page, PageRequest } from '../../registry/index.ts';
import { readCursor, toPage } from '../installations/page.ts';
import type { Attempt, Delivery, DeliveryState } from './contract.ts';
import type { EventType } from './event-types.ts';

export interface NewDelivery {
  id: string;
  endpointId: string;
  organisationId: string;
  /** Null: a ping. */
  eventId: string | null;
  cause: Delivery['cause'];
  at: Date;
}

/** Deliveries of one organisation, for whoever looks at them or asks for more. */
export interface DeliveryStore {
  page(endpointId: string, filter: PageRequest & { state?: DeliveryState }): Promise<Page<Delivery>>;
  find(endpointId: string, id: string): Promise<Delivery | null>;
  /** How many wait. */
  waiting(endpointId: string): Promise<number>;
  insert(deliveries: NewDelivery[]): Promise<void>;
  /** Ids of events since a time, oldest first. */
  eventsSince(organisationId: string, since: Date, limit: number, types: readonly EventType[]): Promise<string[]>;
}

export const deliveryStore = (database: Knex): DeliveryStore => {
  const shown = (endpointId: string) =>
    database('webhook_deliveries as d')
      .leftJoin('feed_events as e', 'e.id', 'd.event_id')
      .where('d.endpoint_id', endpointId)
      .select('d.*', { type: 'e.type' });
  const withAttempts = async (rows: DeliveryRow[]): Promise<Delivery[]> => {
    const ids = rows.map(({ id }) => id);
    const attempts: AttemptRow[] = await database('webhook_attempts').whereIn('delivery_id', ids).orderBy('id');
    const byDelivery = Map.groupBy(attempts, ({ delivery_id }) => delivery_id);
    return rows.map((row) => deliveryOf(row, byDelivery.get(row.id) ?? []));
  };
  return {
    page: async (endpointId, { cursor, limit = 50, state }) => {
      const rows = await shown(endpointId)
        .modify((query) => {
          if (state !== undefined) query.where('d.state', state);
          if (cursor !== undefined) query.where('d.id', '<', readCursor(cursor));
        })
        .orderBy('d.id', 'desc')
        .limit(limit + 1);
      return toPage(await withAttempts(rows), limit);
    },
    find: async (endpointId, id) => (await withAttempts(await shown(endpointId).where('d.id', id).limit(1)))[0] ?? null,
    waiting: async (endpointId) => {
      const { rows } = await database.raw(
        "select count(*)::int as count from webhook_deliveries where endpoint_id = ? and state = 'waiting'",
        [endpointId],
      );
      return rows[0].count;
    },
    insert: async (deliveries) => {
      if (deliveries.length === 0) return;
      await database('webhook_deliveries').insert(
        deliveries.map(({ id, endpointId, organisationId, eventId, cause, at }) => ({
          ...{ id, cause, endpoint_id: endpointId, organisation_id: organisationId, event_id: eventId },
          ...{ next_at: at, created_at: at },
        })),
      );
    },
    eventsSince: (organisationId, since, limit, types) =>
      database('feed_events')
        .where({ organisation_id: organisationId })
        .where('at', '>=', since)
        .modify((query) => {
          if (types.length > 0) query.whereIn('type', [...types]);
        })
        .orderBy('position')
        .limit(limit)
        .pluck('id'),
  };
};

interface DeliveryRow {
  id: string;
  endpoint_id: string;
  event_id: string | null;
  type: string | null;
  cause: Delivery['cause'];
  state: DeliveryState;
  next_at: Date;
  created_at: Date;
  ended_at: Date | null;
}

interface AttemptRow extends Omit<Attempt, 'at'> {
  delivery_id: string;
  at: Date;
}

const deliveryOf = (row: DeliveryRow, attempts: AttemptRow[]): Delivery => ({
  id: row.id,
  endpointId: row.endpoint_id,
  eventId: row.event_id,
  type: row.type ?? 'webhook.ping',
  cause: row.cause,
  state: row.state,
  nextAt: row.state === 'waiting' ? row.next_at.toISOString() : null,
  createdAt: row.created_at.toISOString(),
  endedAt: row.ended_at?.toISOString() ?? null,
  attempts: attempts.map(({ at, ms, status, error, excerpt }) => ({
    ...{ at: at.toISOString(), ms, status, error, excerpt },
  })),
});
