import { definePlugin } from '@gatehouse/plugin-sdk';

/** Long enough that a takedown finds it at work. */
const WATCH_MS = 20_000;

/** Harmless, and taken down all the same: the tour shows how long its running calls go on. */
export default definePlugin({
  routes: {
    'GET /price': async () => ({ price: 12 }),
    'GET /watch': async () => {
      await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
      return { price: 11 };
    },
  },
});
