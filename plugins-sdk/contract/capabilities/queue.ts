import { Type } from 'typebox';
import type { Json } from '../json.ts';
import type { Capability } from './contract.ts';
import { REFUSALS } from './refusals.ts';
import { QUEUE_DELAY_SECONDS_MAX, QUEUE_KEY_UNITS_MAX } from './sizes.ts';

/** Lower-case letters, digits and dashes. */
export const QUEUE_PATTERN = '^[a-z][a-z0-9-]{0,62}$';

export const queue = {
  purpose: 'Put work off: do it later, in the background, and again where it fails.',
  calls: {
    'queue.send': Type.Object(
      {
        queue: Type.String({ pattern: QUEUE_PATTERN }),
        payload: Type.Unknown(),
        delaySeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: QUEUE_DELAY_SECONDS_MAX })),
        key: Type.Optional(
          Type.String({ minLength: 1, maxLength: QUEUE_KEY_UNITS_MAX, pattern: '^[^\\u0000-\\u001f]+$' }),
        ),
      },
      { additionalProperties: false },
    ),
  },
  refusals: REFUSALS.queue,
} as const satisfies Capability;

/** Messages of an installation to itself. The plugin gets them in its hooks `queue.<name>`. */
export interface Queue {
  /**
   * Resolves when the message is stored. It is handled once, by one host, not before `delaySeconds`; after a fault again with growing pauses,
   * as often as the manifest says. Of messages with the same `key` in one queue only the first is kept, until a day after it ended.
   * `id` is the one of the message that is kept, `duplicate` whether that was there before.
   * Refuses with: queue-undeclared, queue-message-too-large, queue-full, call-depth-exceeded.
   */
  send(
    queue: string,
    payload: Json,
    options?: { delaySeconds?: number; key?: string },
  ): Promise<{ id: string; duplicate: boolean }>;
}

/** The name of the hook that handles the messages of a queue. */
export const hookOfQueue = (name: string): QueueHookName => `queue.${name}`;
export type QueueHookName = `queue.${string}`;

/**
 * What a handler of `queue.<name>` receives. `eventId` is the id of the message and the same in every attempt, as are the invocation's id and its
 * random values: capability calls that an earlier attempt has made are not made twice.
 */
export interface QueueEvent<Payload = Json> {
  hook: QueueHookName;
  eventId: string;
  /** When it was sent: ISO 8601, UTC. */
  occurredAt: string;
  payload: Payload;
  /** 1 for the first. */
  attempt: number;
}
