import { Type } from 'typebox';
import type { Json } from '../json.ts';
import type { Capability } from './contract.ts';
import { REFUSALS } from './refusals.ts';
import { EVENT_TOPIC_UNITS_MAX } from './sizes.ts';

/** Lower-case words, joined by dots and dashes: `order.shipped`. */
export const TOPIC_PATTERN = '^[a-z][a-z0-9-]*(?:\\.[a-z][a-z0-9-]*)*$';
export const Topic = Type.String({ pattern: TOPIC_PATTERN, maxLength: EVENT_TOPIC_UNITS_MAX });

export const events = {
  purpose: 'Tell your other plugins what happened, and hear what they tell.',
  calls: {
    'events.publish': Type.Object({ topic: Topic, payload: Type.Unknown() }, { additionalProperties: false }),
  },
  refusals: REFUSALS.events,
} as const satisfies Capability;

/** Events between the plugins of one operator. A plugin hears them in its hooks `events.<topic>`. */
export interface Events {
  /**
   * Hands an event to everybody who subscribed to its topic. Resolves when it is stored; it is delivered afterwards, at least once to each,
   * in no certain order. `subscribers` is how many will get it.
   * Refuses with: event-topic-undeclared, event-too-large, event-rate-exceeded, event-backlog-full, call-depth-exceeded.
   */
  publish(topic: string, payload: Json): Promise<{ eventId: string; subscribers: number }>;
}

/** The name of the hook that hears a topic. */
export const hookOfTopic = (topic: string): TopicHookName => `events.${topic}`;
export type TopicHookName = `events.${string}`;

/** What a handler of `events.<topic>` receives. `eventId` is the same on every delivery: the key for exactly-once work. */
export interface TopicEvent<Payload = Json> {
  hook: TopicHookName;
  eventId: string;
  /** When it was published: ISO 8601, UTC. */
  occurredAt: string;
  payload: Payload;
  /** Who published it, said by the host. */
  from: { plugin: string; installation: string };
}
