import type { Knex } from 'knex';
import type { EndpointState, WebhookEndpoint } from './contract.ts';
import type { EventType } from './event-types.ts';

export interface NewEndpointRow {
  id: string;
  organisationId: string;
  url: string;
  label: string;
  types: EventType[];
  at: Date;
}

export interface SealedSecret {
  id: string;
  sealed: Buffer;
}

export interface NewSecretRow extends SealedSecret {
  endpointId: string;
  organisationId: string;
  at: Date;
}

/** Endpoints of one organisation at a time, and their secrets. */
export interface EndpointStore {
  list(organisationId: string): Promise<WebhookEndpoint[]>;
  find(organisationId: string, id: string): Promise<WebhookEndpoint | null>;
  /** Makes those who add an endpoint to one organisation take turns; returns how many it has. */
  lockCount(organisationId: string): Promise<number>;
  /** False where the id was used. */
  insert(row: NewEndpointRow): Promise<boolean>;
  update(
    organisationId: string,
    id: string,
    change: Partial<Pick<NewEndpointRow, 'url' | 'label' | 'types'>> & {
      state?: EndpointState;
      failingSince?: Date | null;
    },
  ): Promise<boolean>;
  remove(organisationId: string, id: string): Promise<boolean>;
  addSecret(secret: NewSecretRow): Promise<void>;
  /** The newest one ends at `at`, those before it at once: two are enough to change from one to the other. */
  expireSecrets(endpointId: string, at: Date): Promise<void>;
}

export const endpointStore = (database: Knex): EndpointStore => {
  const shown = () =>
    database('webhook_endpoints as e').select(
      'e.*',
      database.raw(
        `(select count(*)::int from webhook_deliveries as d where d.endpoint_id = e.id and d.state = 'waiting') as waiting`,
      ),
    );
  return {
    list: async (organisationId) =>
      (await shown().where('e.organisation_id', organisationId).orderBy('e.id')).map(endpointOf),
    find: async (organisationId, id) => {
      const row = await shown().where({ 'e.organisation_id': organisationId, 'e.id': id }).first();
      return row === undefined ? null : endpointOf(row);
    },
    lockCount: async (organisationId) => {
      await database.raw("select pg_advisory_xact_lock(hashtextextended('webhooks ' || ?, 0))", [organisationId]);
      const { rows } = await database.raw(
        'select count(*)::int as count from webhook_endpoints where organisation_id = ?',
        [organisationId],
      );
      return rows[0].count;
    },
    insert: async ({ id, organisationId, url, label, types, at }) => {
      const row = { id, organisation_id: organisationId, url, label, types, created_at: at };
      return (await database('webhook_endpoints').insert(row).onConflict('id').ignore().returning('id')).length === 1;
    },
    update: async (organisationId, id, { url, label, types, state, failingSince }) => {
      const set = Object.entries({ url, label, types, state, failing_since: failingSince });
      const changed = Object.fromEntries(set.filter(([, value]) => value !== undefined));
      const own = database('webhook_endpoints').where({ id, organisation_id: organisationId });
      return (await own.update(changed)) === 1;
    },
    remove: async (organisationId, id) =>
      (await database('webhook_endpoints').where({ id, organisation_id: organisationId }).delete()) === 1,
    addSecret: async ({ id, endpointId, organisationId, sealed, at }) => {
      const row = { id, endpoint_id: endpointId, organisation_id: organisationId, sealed, created_at: at };
      await database('webhook_secrets').insert(row);
    },
    expireSecrets: async (endpointId, at) => {
      // Two rotations at once take turns: each has to see what the other one made.
      await database('webhook_endpoints').where({ id: endpointId }).forUpdate().first('id');
      const own = () => database('webhook_secrets').where({ endpoint_id: endpointId });
      const newest: string | undefined = (await own().orderBy('id', 'desc').first('id'))?.id;
      if (newest === undefined) return;
      await own().whereNot({ id: newest }).delete();
      await own().where({ id: newest }).update({ expires_at: at });
    },
  };
};

interface EndpointRow {
  id: string;
  url: string;
  label: string;
  types: EventType[];
  state: EndpointState;
  failing_since: Date | null;
  waiting: number;
  created_at: Date;
}

const endpointOf = (row: EndpointRow): WebhookEndpoint => ({
  id: row.id,
  url: row.url,
  label: row.label,
  types: row.types,
  state: row.state,
  failingSince: row.failing_since?.toISOString() ?? null,
  waiting: row.waiting,
  createdAt: row.created_at.toISOString(),
});
