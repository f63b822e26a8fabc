import type { Json } from '../../plugins-sdk/contract/index.ts';

/** How a stop of the tour uses its plugin: as a caller or operator over HTTP, or by delivering an event. */
export interface Visitor {
  call(who: 'caller' | 'operator', method: string, path: string, body?: Json): Promise<{ status: number; value: Json }>;
  deliver(hook: string, eventId: string, payload: Json): Promise<Json>;
}

export type Visit = (visitor: Visitor) => Promise<void>;

interface Stop {
  /** Folder in `examples/`. */
  example: string;
  slug: string;
  config: Json;
  visit: Visit;
}

export const STOPS: readonly Stop[] = [
  {
    example: 'hello-http',
    slug: 'hello',
    config: {},
    visit: async ({ call }) => {
      await call('caller', 'GET', '/greetings/Ada');
    },
  },
];
