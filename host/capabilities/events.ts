import {
  EVENT_BURST_MAX,
  EVENT_BYTES_MAX,
  EVENT_SUBSCRIBERS_MAX,
  EVENTS_PER_SECOND,
  type Json,
} from '../../plugins-sdk/contract/index.ts';
import type { EventStore } from '../events/contract.ts';
import type { CapabilityCalls } from './broker.ts';
import { callKey } from './call-key.ts';
import { CapabilityError } from './capability-error.ts';
import { derivedId } from './derived-id.ts';
import { further } from './lineage.ts';
import { createRateLimit } from './rate-limit.ts';

export interface EventPorts {
  events: Pick<EventStore, 'publish'>;
  /** Somebody may deliver at once; must not block and must not throw. */
  onPublished(): void;
  /** 64 hex digits. */
  newSeed(): string;
  nowMs(): number;
}

/** The capability `events`: hands events to whoever subscribed among the plugins of the same operator. */
export function eventCalls({
  events,
  onPublished,
  newSeed,
  nowMs,
}: EventPorts): Pick<CapabilityCalls, 'events.publish'> {
  const rate = createRateLimit({ burst: EVENT_BURST_MAX, perSecond: EVENTS_PER_SECOND, nowMs });

  return {
    'events.publish': async (context, args: { topic: string; payload: unknown }) => {
      const { installation, invocationId, callSeq, lineage } = context;
      const { topic } = args;
      if (!installation.manifest.events?.publishes?.includes(topic)) {
        throw new CapabilityError('event-topic-undeclared', `The manifest does not publish the topic "${topic}".`);
      }
      const payload = JSON.stringify(args.payload);
      const bytes = Buffer.byteLength(payload);
      if (bytes > EVENT_BYTES_MAX) {
        throw new CapabilityError(
          'event-too-large',
          `The payload has ${bytes} bytes of JSON; one event may have ${EVENT_BYTES_MAX}.`,
        );
      }
      const { depth } = further(lineage, null);
      if (!rate.take(installation.id)) {
        throw new CapabilityError(
          'event-rate-exceeded',
          `${EVENT_BURST_MAX} events at once and ${EVENTS_PER_SECOND} a second are allowed.`,
        );
      }
      const key = callKey(context, 'events.publish', args);
      const eventId = derivedId(invocationId, callSeq, key.argsSha256);
      const published = { eventId, installation, topic, payload, depth, seed: newSeed() };
      const { subscribers, stored } = await events.publish(published, key);
      if (!stored && subscribers > 0) {
        throw new CapabilityError(
          'event-backlog-full',
          subscribers > EVENT_SUBSCRIBERS_MAX
            ? `More than ${EVENT_SUBSCRIBERS_MAX} installations subscribe to "${topic}".`
            : undefined,
        );
      }
      if (stored) onPublished();
      return { eventId, subscribers } satisfies Json;
    },
  };
}
