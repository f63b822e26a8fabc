import { Type } from 'typebox';
import { answer, type Route, route } from '../http/route.ts';
import type { RateLimits } from '../rate-limits/contract.ts';
import { DELIVERY_STATES, type Webhooks } from '../webhooks/contract.ts';
import { EVENT_TYPE_NAMES } from '../webhooks/event-types.ts';
import { Id, Label, nullable, oneOf, page, pageFields, strict, Timestamp } from './fields.ts';

const Url = Type.String({
  minLength: 8,
  maxLength: 2_000,
  pattern: '^[\\x21-\\x7e]+$',
  examples: ['https://example.com/hooks'],
});
const Types = Type.Array(oneOf(EVENT_TYPE_NAMES), {
  maxItems: 100,
  uniqueItems: true,
  description: 'Empty: all there are, also those that come later.',
});

const Webhook = Type.Object(
  {
    id: Id,
    url: Type.String(),
    label: Type.String(),
    types: Types,
    state: oneOf(['active', 'disabled', 'paused'] as const, '`paused`: by the host, after three days of failures.'),
    failingSince: nullable(Timestamp),
    waiting: Type.Integer({ description: 'Deliveries that wait.' }),
    createdAt: Timestamp,
  },
  { title: 'Webhook' },
);
const Secret = Type.String({ description: 'Shown this once.', examples: ['whsec_…'] });
const Delivery = Type.Object(
  {
    id: Id,
    endpointId: Id,
    eventId: nullable(Id),
    type: Type.String(),
    cause: oneOf(['event', 'replay', 'ping'] as const),
    state: oneOf(DELIVERY_STATES),
    nextAt: nullable(Timestamp),
    createdAt: Timestamp,
    endedAt: nullable(Timestamp),
    attempts: Type.Array(
      Type.Object({
        at: Timestamp,
        ms: Type.Integer(),
        status: nullable(Type.Integer()),
        error: nullable(Type.String()),
        excerpt: Type.String({ description: 'How the answer begins.' }),
      }),
    ),
  },
  { title: 'WebhookDelivery' },
);

export interface WebhookRoutePorts {
  webhooks: Webhooks;
  /** None where nothing is limited. */
  rateLimits?: Pick<RateLimits, 'limit'>;
}

const allow = ['webhook:manage'] as const;
const consumer = 'Everybody';
const params = Type.Object({ id: Id });

/** Where organisations want their events to be sent, and what became of that. */
export const webhookRoutes = (ports: WebhookRoutePorts): Route[] => [
  ...endpointRoutes(ports),
  ...deliveryRoutes(ports),
];

const endpointRoutes = ({ webhooks }: WebhookRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/webhooks',
    consumer,
    summary: 'Your endpoints.',
    allow,
    reply: { 200: Type.Object({ items: Type.Array(Webhook) }, { title: 'Webhooks' }) },
    refuses: [],
    handle: async ({ principal }) => ({ items: await webhooks.list(principal) }),
  }),
  route({
    method: 'POST',
    path: '/v1/webhooks',
    consumer,
    summary: 'Have your events sent to an address. The secret that signs them is shown this once.',
    allow,
    stepUp: true,
    body: Type.Object({ id: Id, url: Url, label: Label, types: Types }, { ...strict, title: 'NewWebhook' }),
    reply: { 201: Type.Object({ endpoint: Webhook, secret: Secret }, { title: 'AddedWebhook' }) },
    refuses: ['webhook-url-refused', 'webhooks-exceeded', 'webhook-id-taken'],
    handle: async ({ principal, body }) => answer(await webhooks.add(principal, body)),
  }),
  route({
    method: 'PATCH',
    path: '/v1/webhooks/:id',
    consumer,
    summary: 'Change an endpoint, disable it, or enable it again, also after a pause.',
    allow,
    stepUp: true,
    params,
    body: Type.Object(
      {
        url: Type.Optional(Url),
        label: Type.Optional(Label),
        types: Type.Optional(Types),
        enabled: Type.Optional(Type.Boolean()),
      },
      { ...strict, minProperties: 1, title: 'WebhookChange' },
    ),
    reply: { 200: Webhook },
    refuses: ['webhook-unknown', 'webhook-url-refused'],
    handle: ({ principal, params: { id }, body }) => webhooks.change(principal, id, body),
  }),
  route({
    method: 'DELETE',
    path: '/v1/webhooks/:id',
    consumer,
    summary: 'Remove an endpoint with its deliveries. Safe to repeat.',
    allow,
    params,
    reply: { 204: null },
    refuses: [],
    handle: async ({ principal, params: { id } }) => {
      await webhooks.remove(principal, id);
      return undefined;
    },
  }),
  route({
    method: 'POST',
    path: '/v1/webhooks/:id/rotation',
    consumer,
    summary: 'A new secret. Until the overlap ends each delivery is signed with the old one as well.',
    allow,
    stepUp: true,
    params,
    body: Type.Object(
      { overlapSeconds: Type.Integer({ minimum: 0, maximum: 604_800, description: 'At most a week.' }) },
      { ...strict, title: 'WebhookRotation' },
    ),
    reply: { 200: Type.Object({ secret: Secret, oldUntil: Timestamp }, { title: 'RotatedWebhook' }) },
    refuses: ['webhook-unknown'],
    handle: ({ principal, params: { id }, body }) => webhooks.rotate(principal, id, body.overlapSeconds),
  }),
];

const deliveryRoutes = ({ webhooks, rateLimits }: WebhookRoutePorts): Route[] => [
  route({
    method: 'GET',
    path: '/v1/webhooks/:id/deliveries',
    consumer,
    summary: 'What was sent to an endpoint and how it answered, newest first; of the last 30 days.',
    allow,
    params,
    query: Type.Object({ ...pageFields, state: Type.Optional(oneOf(DELIVERY_STATES)) }, strict),
    reply: { 200: page(Delivery, 'WebhookDeliveries') },
    refuses: ['webhook-unknown', 'cursor-invalid'],
    handle: ({ principal, params: { id }, query }) => webhooks.deliveries(principal, id, query),
  }),
  route({
    method: 'POST',
    path: '/v1/webhooks/:id/deliveries/:delivery/replay',
    consumer,
    summary: 'Send the event of a delivery once more.',
    allow,
    params: Type.Object({ id: Id, delivery: Id }),
    reply: { 202: Delivery },
    refuses: ['webhook-unknown', 'delivery-unknown', 'webhook-inactive', 'webhook-backlog-exceeded'],
    handle: async ({ principal, params: { id, delivery } }) => {
      await rateLimits?.limit('webhook-organisation', principal.organisation.id);
      return webhooks.replay(principal, id, delivery);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/webhooks/:id/replay',
    consumer,
    summary: 'Send once more whatever happened since a time, oldest first, at most 1,000 at once.',
    allow,
    params,
    body: Type.Object({ since: Timestamp }, { ...strict, title: 'WebhookReplay' }),
    reply: {
      202: Type.Object(
        { deliveries: Type.Integer(), more: Type.Boolean({ description: 'Whether there was more than that.' }) },
        { title: 'ReplayedWebhooks' },
      ),
    },
    refuses: ['webhook-unknown', 'webhook-inactive', 'webhook-backlog-exceeded'],
    handle: async ({ principal, params: { id }, body }) => {
      await rateLimits?.limit('webhook-organisation', principal.organisation.id);
      return webhooks.replaySince(principal, id, body.since);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/webhooks/:id/ping',
    consumer,
    summary: 'Send a ping, to see whether an endpoint answers.',
    allow,
    params,
    reply: { 202: Delivery },
    refuses: ['webhook-unknown', 'webhook-inactive', 'webhook-backlog-exceeded'],
    handle: async ({ principal, params: { id } }) => {
      await rateLimits?.limit('webhook-organisation', principal.organisation.id);
      return webhooks.ping(principal, id);
    },
  }),
];
