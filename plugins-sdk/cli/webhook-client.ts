import type {
  Delivery,
  DeliveryState,
  EndpointChange,
  FeedPage,
  NewEndpoint,
  WebhookEndpoint,
} from '../../host/webhooks/contract.ts';
import type { Page, PageRequest } from '../../registry/index.ts';

/** What the client of the API is made of. */
export interface Calls {
  get<Value>(path: string, query?: object): Promise<Value>;
  send<Value>(method: string, path: string, value: unknown, options?: { idempotent?: boolean }): Promise<Value>;
}

const at = encodeURIComponent;
const once = { idempotent: false };

/** Events, and the endpoints to which they are sent. */
export const webhookClient = ({ get, send }: Calls) => ({
  /** `waitSeconds`: 0 to 30. */
  readEvents: ({
    waitSeconds,
    ...filter
  }: {
    after?: string;
    limit?: number;
    types?: string;
    waitSeconds?: number;
  } = {}) => get<FeedPage>('/v1/events', { ...filter, wait: waitSeconds }),
  listWebhooks: () => get<{ items: WebhookEndpoint[] }>('/v1/webhooks'),
  addWebhook: (wish: NewEndpoint) =>
    send<{ endpoint: WebhookEndpoint; secret: string }>('POST', '/v1/webhooks', wish, once),
  changeWebhook: (id: string, change: EndpointChange) =>
    send<WebhookEndpoint>('PATCH', `/v1/webhooks/${at(id)}`, change),
  removeWebhook: (id: string) => send<void>('DELETE', `/v1/webhooks/${at(id)}`, undefined),
  rotateWebhook: (id: string, overlapSeconds: number) =>
    send<{ secret: string; oldUntil: string }>('POST', `/v1/webhooks/${at(id)}/rotation`, { overlapSeconds }, once),
  listDeliveries: (id: string, filter: PageRequest & { state?: DeliveryState } = {}) =>
    get<Page<Delivery>>(`/v1/webhooks/${at(id)}/deliveries`, filter),
  replayDelivery: (id: string, delivery: string) =>
    send<Delivery>('POST', `/v1/webhooks/${at(id)}/deliveries/${at(delivery)}/replay`, undefined, once),
  replayWebhook: (id: string, since: string) =>
    send<{ deliveries: number; more: boolean }>('POST', `/v1/webhooks/${at(id)}/replay`, { since }, once),
  pingWebhook: (id: string) => send<Delivery>('POST', `/v1/webhooks/${at(id)}/ping`, undefined, once),
});
