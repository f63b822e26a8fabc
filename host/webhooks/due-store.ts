import type { Knex } from 'knex';
import { v7 as uuidv7 } from 'uuid';
import type { AuditEntry } from '../../registry/index.ts';
import { notificationStore } from '../notifications/notification-store.ts';
import type { Attempt, FeedEvent } from './contract.ts';
import type { SealedSecret } from './endpoint-store.ts';
import { eventOf } from './feed-store.ts';

/** What is sent now, and by whom it is signed. */
export interface DueDelivery {
  id: string;
  endpointId: string;
  organisationId: string;
  url: string;
  /** With this one. */
  attempts: number;
  createdAt: Date;
  /** Null for a ping. */
  event: FeedEvent | null;
  secrets: SealedSecret[];
}

export interface AttemptEnd {
  delivery: DueDelivery;
  attempt: Attempt;
  /** Whether the endpoint took it. */
  done: boolean;
  /** When it is tried again; null: never, or it need not be. */
  nextAt: Date | null;
  at: Date;
}

/** The host's own view of everybody's deliveries. */
export interface DueStore {
  /** Takes deliveries that are due for this host until `until`; of each endpoint and of each organisation so many at a time. */
  claim(
    now: Date,
    until: Date,
    limits: { all: number; ofOrganisation: number; ofEndpoint: number },
  ): Promise<DueDelivery[]>;
  /** Writes how an attempt ended; returns since when the endpoint has failed at everything, or null. */
  end(end: AttemptEnd): Promise<Date | null>;
  /** Sends nothing more to an endpoint, and says so; false where somebody else did. */
  pause(delivery: DueDelivery, failingSince: Date, at: Date): Promise<boolean>;
}

/**
 * Each endpoint waits for its own only, and each organisation as well: those that hang hold up nobody else. Whoever has least under way
 * and has waited longest comes first.
 */
const CLAIM = `
  with busy as materialized (
    select endpoint_id, organisation_id from webhook_deliveries where state = 'waiting' and claimed_until >= :now
  ), found as materialized (
    select d.id, d.next_at, e.organisation_id from webhook_endpoints as e cross join lateral (
      select id, next_at from webhook_deliveries where endpoint_id = e.id and state = 'waiting' and next_at <= :now
        and (claimed_until is null or claimed_until < :now)
      order by next_at, id limit :ofEndpoint for update skip locked
    ) as d
    where e.state = 'active' and not exists (select 1 from busy where busy.endpoint_id = e.id)
  ), placed as (
    select id, next_at, row_number() over (partition by organisation_id order by next_at, id)
      + (select count(*) from busy where busy.organisation_id = found.organisation_id) as place
    from found
  ), due as materialized (
    select id from placed where place <= :ofOrganisation order by place, next_at, id limit :all
  )
  update webhook_deliveries as d set claimed_until = :until, attempts = d.attempts + 1
  from due where d.id = due.id
  returning d.id, d.endpoint_id, d.organisation_id, d.event_id, d.attempts, d.created_at`;

export const dueStore = (
  system: Knex,
  auditIn: (database: Knex) => (entry: AuditEntry) => Promise<void>,
): DueStore => ({
  claim: async (now, until, limits) => {
    const { rows } = await system.raw(CLAIM, { now, until, ...limits });
    if (rows.length === 0) return [];
    const idsOf = (name: string) => [...new Set<string>(rows.map((row: Record<string, string>) => row[name]))];
    const endpoints = await system('webhook_endpoints').whereIn('id', idsOf('endpoint_id')).select('id', 'url');
    const events = await system('feed_events').whereIn('id', idsOf('event_id').filter(Boolean));
    const secrets = await system('webhook_secrets')
      .whereIn('endpoint_id', idsOf('endpoint_id'))
      .where((valid) => valid.whereNull('expires_at').orWhere('expires_at', '>', now))
      .orderBy('id', 'desc')
      .select('id', 'endpoint_id', 'sealed');
    const urls = new Map(endpoints.map(({ id, url }) => [id, url]));
    const found = new Map(events.map((row) => [`${row.organisation_id} ${row.id}`, eventOf(row)]));
    return (
      rows
        .map((row: DueRow) => ({
          id: row.id,
          endpointId: row.endpoint_id,
          organisationId: row.organisation_id,
          url: urls.get(row.endpoint_id),
          attempts: row.attempts,
          createdAt: row.created_at,
          event: row.event_id === null ? null : found.get(`${row.organisation_id} ${row.event_id}`),
          secrets: secrets.filter((each) => each.endpoint_id === row.endpoint_id),
        }))
        // The endpoint was removed, or the event forgotten, since.
        .filter(({ url, event }: Partial<DueDelivery>) => url !== undefined && event !== undefined)
        .sort((a: DueDelivery, b: DueDelivery) => (a.id < b.id ? -1 : 1))
    );
  },
  end: ({ delivery, attempt, done, nextAt, at }) =>
    system.transaction(async (transaction) => {
      const state = done ? 'delivered' : nextAt === null ? 'dead' : 'waiting';
      const changed = await transaction('webhook_deliveries')
        // Whoever took longer than its claim finds what another host has made of it.
        .where({ id: delivery.id, state: 'waiting' })
        .update({
          state,
          claimed_until: null,
          ...(nextAt !== null && { next_at: nextAt }),
          ...(state !== 'waiting' && { ended_at: at }),
        });
      if (changed === 0) return null;
      await transaction('webhook_attempts').insert({
        id: uuidv7(),
        delivery_id: delivery.id,
        organisation_id: delivery.organisationId,
        ...attempt,
      });
      const endpoint = transaction('webhook_endpoints').where({ id: delivery.endpointId });
      if (done) {
        await endpoint.whereNotNull('failing_since').update({ failing_since: null });
        return null;
      }
      const [row] = await endpoint
        .update({ failing_since: transaction.raw('coalesce(failing_since, ?)', [at]) })
        .returning('failing_since');
      return row?.failing_since ?? null;
    }),
  pause: ({ endpointId, organisationId, url }, failingSince, at) =>
    system.transaction(async (transaction) => {
      const active = transaction('webhook_endpoints').where({ id: endpointId, state: 'active' });
      if ((await active.update({ state: 'paused' })) === 0) return false;
      const since = failingSince.toISOString();
      await auditIn(transaction)({
        action: 'webhook.pause',
        actor: { via: 'system', part: 'webhooks' },
        organisationId,
        subject: { kind: 'webhook', id: endpointId },
        after: { failingSince: since },
      });
      await notificationStore(transaction).add([
        {
          id: uuidv7(),
          organisationId,
          at: at.toISOString(),
          kind: 'webhook-paused',
          subject: `Webhooks to ${new URL(url).host} are paused`,
          body: [
            `Nothing was delivered to it since ${since}, so nothing is sent there any more.`,
            `Why: gate webhooks deliveries ${endpointId}`,
            `When it works again: gate webhooks enable ${endpointId}; then: gate webhooks replay ${endpointId} --since ${since}`,
          ].join('\n'),
          facts: { endpointId, failingSince: since },
        },
      ]);
      return true;
    }),
});

interface DueRow {
  id: string;
  endpoint_id: string;
  organisation_id: string;
  event_id: string | null;
  attempts: number;
  created_at: Date;
}
