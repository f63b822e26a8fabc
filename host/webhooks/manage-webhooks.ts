import { isIP } from 'node:net';
import type { AuditEntry, Principal } from '../../registry/index.ts';
import { EgressRefusal } from '../egress/egress-refusal.ts';
import { checkedUrl } from '../egress/send-request.ts';
import { HostRefusal } from '../errors.ts';
import type { Delivery, EndpointState, WebhookEndpoint, Webhooks } from './contract.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { EndpointStore } from './endpoint-store.ts';

export const ENDPOINTS_MAX = 10;
export const BACKLOG_MAX = 10_000;
export const REPLAY_MAX = 1_000;

export interface WebhookStores {
  endpoints: EndpointStore;
  deliveries: DeliveryStore;
  audit(entry: AuditEntry): Promise<void>;
}

export interface WebhooksPorts {
  transaction<Result>(work: (stores: WebhookStores) => Promise<Result>): Promise<Result>;
  /** New, for an endpoint. */
  makeSecret(): string;
  sealSecret(id: string, secret: string): Buffer;
  allowHttp: boolean;
  /** Whether a literal address may be reached. */
  mayReachAddress(address: string): boolean;
  nowMs(): number;
  /** UUIDv7, in order. */
  newId(): string;
}

export function createWebhooks(ports: WebhooksPorts): Webhooks {
  const { transaction, nowMs } = ports;
  return {
    list: (actor) => transaction(({ endpoints }) => endpoints.list(actor.organisation.id)),
    add: add(ports),
    change: async (actor, id, { url, label, types, enabled }) => {
      if (url !== undefined) checkUrl(ports, url);
      return transaction(async (stores) => {
        const before = await known(stores, actor, id);
        const state: EndpointState | undefined = enabled === undefined ? undefined : enabled ? 'active' : 'disabled';
        const change = { url, label, types, ...(state && { state }), ...(enabled && { failingSince: null }) };
        if (Object.values(change).every((value) => value === undefined)) return before;
        await stores.endpoints.update(actor.organisation.id, id, change);
        const after = await known(stores, actor, id);
        await stores.audit(entryOf(actor, 'change', id, { before: shownOf(before), after: shownOf(after) }));
        return after;
      });
    },
    remove: (actor, id) =>
      transaction(async ({ endpoints, audit }) => {
        const { id: organisationId } = actor.organisation;
        const before = await endpoints.find(organisationId, id);
        if (before === null || !(await endpoints.remove(organisationId, id))) return;
        await audit(entryOf(actor, 'remove', id, { before: shownOf(before) }));
      }),
    rotate: (actor, id, overlapSeconds) =>
      transaction(async (stores) => {
        await known(stores, actor, id);
        const until = new Date(nowMs() + overlapSeconds * 1_000);
        await stores.endpoints.expireSecrets(id, until);
        const secret = await giveSecret(ports, stores, actor, id);
        await stores.audit(entryOf(actor, 'rotate', id, { after: { oldUntil: until.toISOString() } }));
        return { secret, oldUntil: until.toISOString() };
      }),
    deliveries: (actor, id, filter) =>
      transaction(async (stores) => {
        await known(stores, actor, id);
        return stores.deliveries.page(id, filter);
      }),
    ...replays(ports),
  };
}

const add =
  (ports: WebhooksPorts): Webhooks['add'] =>
  async (actor, { id, url, label, types }) => {
    checkUrl(ports, url);
    return ports.transaction(async (stores) => {
      const { id: organisationId } = actor.organisation;
      if ((await stores.endpoints.lockCount(organisationId)) >= ENDPOINTS_MAX)
        throw new HostRefusal('webhooks-exceeded', undefined, { max: ENDPOINTS_MAX });
      const row = { id, organisationId, url, label, types, at: new Date(ports.nowMs()) };
      if (!(await stores.endpoints.insert(row))) throw new HostRefusal('webhook-id-taken');
      const secret = await giveSecret(ports, stores, actor, id);
      const endpoint = await known(stores, actor, id);
      await stores.audit(entryOf(actor, 'add', id, { after: shownOf(endpoint) }));
      return { endpoint, secret };
    });
  };

/** What is sent although nothing has happened. */
function replays(ports: WebhooksPorts): Pick<Webhooks, 'replay' | 'replaySince' | 'ping'> {
  const { transaction, nowMs, newId } = ports;
  const ready = async (stores: WebhookStores, actor: Principal, id: string): Promise<WebhookEndpoint> => {
    const endpoint = await known(stores, actor, id);
    if (endpoint.state !== 'active') throw new HostRefusal('webhook-inactive', undefined, { state: endpoint.state });
    if (endpoint.waiting >= BACKLOG_MAX)
      throw new HostRefusal('webhook-backlog-exceeded', undefined, { max: BACKLOG_MAX });
    return endpoint;
  };
  const send = async (
    { deliveries, audit }: WebhookStores,
    actor: Principal,
    endpointId: string,
    events: (string | null)[],
    cause: Delivery['cause'],
  ): Promise<string> => {
    const at = new Date(nowMs());
    const organisationId = actor.organisation.id;
    const rows = events.map((eventId) => ({ id: newId(), endpointId, organisationId, eventId, cause, at }));
    await deliveries.insert(rows);
    const action = cause === 'ping' ? 'ping' : 'replay';
    await audit(entryOf(actor, action, endpointId, { after: { deliveries: rows.length } }));
    return rows[0]?.id ?? '';
  };
  return {
    replay: (actor, id, deliveryId) =>
      transaction(async (stores) => {
        await ready(stores, actor, id);
        const before = await stores.deliveries.find(id, deliveryId);
        if (before === null) throw new HostRefusal('delivery-unknown');
        const cause = before.eventId === null ? 'ping' : 'replay';
        return (await stores.deliveries.find(id, await send(stores, actor, id, [before.eventId], cause)))!;
      }),
    replaySince: (actor, id, since) =>
      transaction(async (stores) => {
        const { waiting, types } = await ready(stores, actor, id);
        const limit = Math.min(REPLAY_MAX, BACKLOG_MAX - waiting);
        const { id: organisationId } = actor.organisation;
        const events = await stores.deliveries.eventsSince(organisationId, new Date(since), limit + 1, types);
        const sent = events.slice(0, limit);
        if (sent.length > 0) await send(stores, actor, id, sent, 'replay');
        return { deliveries: sent.length, more: events.length > limit };
      }),
    ping: (actor, id) =>
      transaction(async (stores) => {
        await ready(stores, actor, id);
        return (await stores.deliveries.find(id, await send(stores, actor, id, [null], 'ping')))!;
      }),
  };
}

async function known({ endpoints }: WebhookStores, actor: Principal, id: string): Promise<WebhookEndpoint> {
  const endpoint = await endpoints.find(actor.organisation.id, id);
  if (endpoint === null) throw new HostRefusal('webhook-unknown');
  return endpoint;
}

async function giveSecret(
  { makeSecret, sealSecret, newId, nowMs }: WebhooksPorts,
  { endpoints }: WebhookStores,
  actor: Principal,
  endpointId: string,
): Promise<string> {
  const secret = makeSecret();
  const id = newId();
  const organisationId = actor.organisation.id;
  await endpoints.addSecret({ id, endpointId, organisationId, sealed: sealSecret(id, secret), at: new Date(nowMs()) });
  return secret;
}

/** What can be known now; where a name leads to is judged whenever something is sent. Refuses with: webhook-url-refused. */
function checkUrl({ allowHttp, mayReachAddress }: WebhooksPorts, text: string): void {
  const refuse = (message: string) => new HostRefusal('webhook-url-refused', message);
  try {
    const { hostname } = checkedUrl({ allowHttp }, { mayReach: () => true }, text);
    const address = hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(address) !== 0 && !mayReachAddress(address))
      throw refuse(`${address} is not on the public internet; webhooks go there only.`);
    if (/(?:^|\.)localhost\.?$/.test(hostname)) throw refuse('localhost is not on the public internet.');
  } catch (error) {
    throw error instanceof EgressRefusal ? refuse(error.message) : error;
  }
}

/** Addresses may carry tokens in path and query: the trail names the host alone. */
const shownOf = ({ url, label, types, state }: WebhookEndpoint) => ({ host: new URL(url).host, label, types, state });

const entryOf = (
  actor: Principal,
  verb: string,
  id: string,
  states: Pick<AuditEntry, 'before' | 'after'>,
): AuditEntry => ({
  action: `webhook.${verb}`,
  actor,
  organisationId: actor.organisation.id,
  subject: { kind: 'webhook', id },
  ...states,
});
