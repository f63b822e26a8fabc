import type { Json } from '../../plugins-sdk/contract/index.ts';

interface Sent {
  body?: Json;
  headers?: Record<string, string>;
  /** What of the answer is worth a look; default: all of it. */
  see?: (answer: JsonObject) => Json | undefined;
}

export type JsonObject = { [key: string]: Json };

/** How a stop of the tour uses its plugin: as a caller or operator over HTTP, or by delivering an event. */
export interface Visitor {
  /** Resolves with the answer's JSON; rejects where the status is 400 or above. */
  call(who: 'caller' | 'operator', method: string, path: string, sent?: Sent): Promise<JsonObject>;
  deliver(hook: string, eventId: string, payload: Json, see?: Sent['see']): Promise<Json>;
}

export type Visit = (visitor: Visitor) => Promise<void>;

interface Stop {
  /** Folder in `examples/`. */
  example: string;
  slug: string;
  config: Json;
  visit: Visit;
}

/** What the demo does with each example. Everything may be done again on the next start. */
export const STOPS: readonly Stop[] = [
  {
    example: 'hello-http',
    slug: 'hello',
    config: { greeting: 'Welcome, {name}!' },
    visit: async ({ call }) => {
      await call('caller', 'GET', '/greetings/Ada');
    },
  },
  {
    example: 'order-delivery',
    slug: 'shop',
    config: { warnBelow: 1 },
    visit: async ({ call, deliver }) => {
      await call('operator', 'POST', '/pool/vpn-year', { body: { keys: ['VPN-AAAA-1111', 'VPN-BBBB-2222'] } });
      const paid = { orderId: 'order-1', lines: [{ sku: 'vpn-year', quantity: 1 }] };
      await deliver('order.paid', 'event-1', paid, ({ items }) => items);
      // The same event once more: the same delivery, no second key.
      await deliver('order.paid', 'event-1', paid, ({ items }) => items);
      await call('caller', 'GET', '/orders/order-1', { see: ({ state, items }) => ({ state, items }) as Json });
    },
  },
  {
    example: 'coin-duel',
    slug: 'duel',
    config: { coins: 4 },
    visit: async ({ call }) => {
      const see = ({ player, row, turn }: JsonObject) => ({ player, row, turn }) as Json;
      const { gameId, token } = await call('caller', 'POST', '/games', { see });
      await call('caller', 'POST', `/games/${gameId}/join`, { see });
      const headers = { 'x-player-token': String(token) };
      await call('caller', 'POST', `/games/${gameId}/moves`, { headers, see, body: { turn: 1, end: 'left' } });
    },
  },
];
