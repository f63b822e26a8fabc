import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { Page, PageRequest, Principal } from '../../registry/index.ts';
import type { EventType } from './event-types.ts';

/** Something that happened and concerns an organisation. The feed shows it, webhooks carry it, in this very form. */
export interface FeedEvent {
  /** The same wherever it is told, and however often. */
  id: string;
  /** 1, 2, 3 and so on for each organisation, without gaps. */
  position: number;
  type: EventType;
  /** Of the payload's schema. New members may come without a new version. */
  version: number;
  at: string;
  payload: Json;
}

export interface FeedRequest {
  /** What a page before said, `latest`, or nothing: the oldest that is kept. */
  after?: string;
  limit?: number;
  types?: readonly EventType[];
  /** Waits for so long where there is nothing yet; 0 to 30. */
  waitSeconds?: number;
}

export interface FeedPage {
  items: FeedEvent[];
  /** To go on from, also where there was nothing. */
  cursor: string;
  /** Whether there are more already. */
  more: boolean;
  /** Whether events after the cursor were deleted, because they had been kept long enough. */
  missed: boolean;
}

export interface EventsFeed {
  /** Oldest first. Refuses with: cursor-invalid. */
  read(actor: Principal, request: FeedRequest, signal?: AbortSignal): Promise<FeedPage>;
}

export type EndpointState = 'active' | 'disabled' | 'paused';

/** Where an organisation wants its events to be sent. */
export interface WebhookEndpoint {
  id: string;
  url: string;
  label: string;
  /** Empty: all there are. */
  types: EventType[];
  /** `disabled` by its organisation, `paused` by the host after days of failures. */
  state: EndpointState;
  /** Since when nothing was delivered, or null. */
  failingSince: string | null;
  /** Deliveries that wait. */
  waiting: number;
  createdAt: string;
}

export interface NewEndpoint {
  /** UUIDv7, made by the client. */
  id: string;
  url: string;
  label: string;
  types: EventType[];
}

export type EndpointChange = Partial<Pick<WebhookEndpoint, 'url' | 'label' | 'types'>> & { enabled?: boolean };

export const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface Attempt {
  at: string;
  /** How long it took. */
  ms: number;
  /** Of the answer; null where none came. */
  status: number | null;
  error: string | null;
  /** How the answer begins, at most 1,024 characters. */
  excerpt: string;
}

/** One event on its way to one endpoint. */
export interface Delivery {
  id: string;
  endpointId: string;
  /** Null for a ping. */
  eventId: string | null;
  type: string;
  cause: 'event' | 'replay' | 'ping';
  state: DeliveryState;
  /** When it is tried next; null where it is not. */
  nextAt: string | null;
  createdAt: string;
  endedAt: string | null;
  /** Newest last. */
  attempts: Attempt[];
}

/** The endpoints of the actor's organisation. */
export interface Webhooks {
  list(actor: Principal): Promise<WebhookEndpoint[]>;
  /** The secret is shown this once; idempotent only in that an id is used once. Refuses with: webhook-url-refused, webhooks-exceeded, webhook-id-taken. */
  add(actor: Principal, wish: NewEndpoint): Promise<{ endpoint: WebhookEndpoint; secret: string }>;
  /** `enabled: true` also ends a pause. Refuses with: webhook-unknown, webhook-url-refused. */
  change(actor: Principal, id: string, change: EndpointChange): Promise<WebhookEndpoint>;
  /** With all its deliveries. Idempotent. */
  remove(actor: Principal, id: string): Promise<void>;
  /** A new secret; the ones before sign as well for so long. Refuses with: webhook-unknown. */
  rotate(actor: Principal, id: string, overlapSeconds: number): Promise<{ secret: string; oldUntil: string }>;
  /** Newest first. Refuses with: webhook-unknown, cursor-invalid. */
  deliveries(actor: Principal, id: string, filter: PageRequest & { state?: DeliveryState }): Promise<Page<Delivery>>;
  /** Sends one again. Refuses with: webhook-unknown, delivery-unknown, webhook-inactive, webhook-backlog-exceeded. */
  replay(actor: Principal, id: string, deliveryId: string): Promise<Delivery>;
  /** Sends again, in order, what happened since a time. Refuses with: webhook-unknown, webhook-inactive, webhook-backlog-exceeded. */
  replaySince(actor: Principal, id: string, since: string): Promise<{ deliveries: number; more: boolean }>;
  /** Sends a ping. Refuses with: webhook-unknown, webhook-inactive, webhook-backlog-exceeded. */
  ping(actor: Principal, id: string): Promise<Delivery>;
}
