import { definePlugin } from '@gatehouse/plugin-sdk';

/** Does no more than the handler that it is compared with, so that what is measured is the way there and back. */
export default definePlugin({
  routes: {
    'GET /text': () => new Response('Hello from behind the gate: the same line for everybody who asks.'),
  },
});
