import type { EventRoutePorts } from '../routes/events.ts';
import type { WebhookRoutePorts } from '../routes/webhooks.ts';
import type { Delivery, FeedEvent, WebhookEndpoint } from '../webhooks/contract.ts';

type FakePort = <Args extends unknown[], Value>(name: string, value: Value) => (...args: Args) => Promise<Value>;

const AT = '2026-01-02T03:04:05.678Z';
const ID = '0199b7a0-5a3e-7c6b-8f7e-2f5d1c9f0a11';
const SECRET = 'whsec_AAAA';

/** Events and webhooks in memory, for the tests of the HTTP side. */
export function fakeWebhooks(port: FakePort): EventRoutePorts & Pick<WebhookRoutePorts, 'webhooks'> {
  const endpoint: WebhookEndpoint = {
    ...{ id: ID, url: 'https://example.com/hooks', label: 'shop', types: ['key.revoked'], state: 'active' },
    ...{ failingSince: null, waiting: 1, createdAt: AT },
  };
  const delivery: Delivery = {
    ...{ id: ID, endpointId: ID, eventId: ID, type: 'key.revoked', cause: 'event', state: 'waiting' },
    ...{ nextAt: AT, createdAt: AT, endedAt: null },
    attempts: [{ at: AT, ms: 12, status: 500, error: null, excerpt: 'Oh.' }],
  };
  const event: FeedEvent = { id: ID, position: 1, type: 'key.revoked', version: 1, at: AT, payload: {} };
  return {
    events: { read: port('events', { items: [event], cursor: '1', more: false, missed: false }) },
    webhooks: {
      list: port('webhooks', [endpoint]),
      add: port('addWebhook', { endpoint, secret: SECRET }),
      change: port('changeWebhook', endpoint),
      remove: port('removeWebhook', undefined),
      rotate: port('rotateWebhook', { secret: SECRET, oldUntil: AT }),
      deliveries: port('deliveries', { items: [delivery], nextCursor: null }),
      replay: port('replayDelivery', delivery),
      replaySince: port('replayDeliveries', { deliveries: 1, more: false }),
      ping: port('pingWebhook', delivery),
    },
  };
}
