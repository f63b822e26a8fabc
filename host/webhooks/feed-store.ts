import type { Knex } from 'knex';
import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { FeedEvent } from './contract.ts';
import type { EventType } from './event-types.ts';

export interface FeedStore {
  /** In order, after a position. */
  after(organisationId: string, position: number, limit: number, types?: readonly EventType[]): Promise<FeedEvent[]>;
  /** The first and the last position that is kept; zeros where there is none. */
  bounds(organisationId: string): Promise<{ first: number; last: number }>;
}

/** The feed in PostgreSQL, for whoever asks. */
export const feedStore = (database: Knex): FeedStore => ({
  after: async (organisationId, position, limit, types) => {
    const rows = await database('feed_events')
      .where({ organisation_id: organisationId })
      .where('position', '>', position)
      .modify((query) => {
        if (types !== undefined) query.whereIn('type', [...types]);
      })
      .orderBy('position')
      .limit(limit);
    return rows.map(eventOf);
  },
  bounds: async (organisationId) => {
    const row = await database('feed_events')
      .where({ organisation_id: organisationId })
      .min({ first: 'position' })
      .max({ last: 'position' })
      .first();
    return { first: Number(row?.first ?? 0), last: Number(row?.last ?? 0) };
  },
});

interface FeedRow {
  id: string;
  position: string;
  type: EventType;
  version: number;
  at: Date;
  payload: Json;
}

export const eventOf = ({ id, position, type, version, at, payload }: FeedRow): FeedEvent => ({
  ...{ id, type, version, payload },
  position: Number(position),
  at: at.toISOString(),
});
