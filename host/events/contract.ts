import type { CallKey } from '../capabilities/call-key.ts';

/** An event of one plugin for others of its operator. */
export interface NewEvent {
  eventId: string;
  /** Who publishes it. */
  installation: { id: string; plugin: string; operator: { id: string } };
  topic: string;
  /** JSON text. */
  payload: string;
  depth: number;
  /** 64 hex digits. */
  seed: string;
}

/** One attempt to bring one event to one installation. */
export interface Delivery {
  eventId: string;
  /** Who gets it. */
  installationId: string;
  topic: string;
  payload: string;
  depth: number;
  seed: string;
  publishedAtMs: number;
  from: { plugin: string; installation: string };
  /** From 1. An attempt that no host saw end is made again under the same number. */
  attempt: number;
  /** Hosts that took this delivery so far, this time included. */
  claims: number;
}

export interface EventStore {
  /**
   * Stores an event for its subscribers: once for each key. `stored` is false where nobody subscribes, where more do than may, or
   * where the operator has too many deliveries under way.
   */
  publish(event: NewEvent, key: CallKey): Promise<{ subscribers: number; stored: boolean }>;
  /** Takes up to `limit` deliveries that are due, for `leaseMs`; nobody else gets them meanwhile. */
  claim(limit: number, leaseMs: number): Promise<Delivery[]>;
  /** It was delivered, or there is nobody to deliver it to. */
  done(delivery: Delivery): Promise<void>;
  /** It failed: the next attempt is due after `delayMs`; null gives it up. */
  failed(delivery: Delivery, error: string, delayMs: number | null): Promise<void>;
  /** The same attempt is due after `delayMs`. `begun`: something of it may have run, so its claim still counts. */
  postpone(delivery: Delivery, delayMs: number, begun: boolean): Promise<void>;
  /** Forgets events that were delivered or given up long ago. */
  sweep(): Promise<void>;
}
