import type { CallingInstallation } from './call-scope.ts';
import type { CapabilityPorts } from './compose.ts';
import { derivedId } from './derived-id.ts';

/** What a plugin said that is alone on its host. */
export interface Said {
  events: { topic: string; payload: string }[];
  messages: { installation: CallingInstallation['slug']; title: string; text: string; severity: string }[];
}

type InsularPorts = Pick<
  CapabilityPorts,
  'events' | 'onPublished' | 'messages' | 'findInstallations' | 'runPlugin' | 'newSeed'
>;

/** Capabilities of a plugin that has no other beside it: events reach nobody, messages are collected, and there is nobody to call. */
export function insularPorts(said: Said = { events: [], messages: [] }): InsularPorts {
  const ids = new Set<string>();
  return {
    events: {
      publish: async ({ eventId, topic, payload }) => {
        if (!ids.has(eventId)) said.events.push({ topic, payload });
        ids.add(eventId);
        return { subscribers: 0, stored: false };
      },
    },
    onPublished: () => {},
    messages: {
      send: async ({ slug }, { title, text, severity }, { invocationId, callSeq }) => {
        const id = derivedId(invocationId, callSeq);
        if (!ids.has(id)) said.messages.push({ installation: slug, title, text, severity });
        ids.add(id);
        return id;
      },
    },
    findInstallations: async () => [],
    runPlugin: () => Promise.reject(new Error('There is no plugin that could be called.')),
    newSeed: () => '00'.repeat(32),
  };
}
