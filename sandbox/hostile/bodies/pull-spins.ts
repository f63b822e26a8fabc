import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'answers with a stream whose pull spins',
  code: routeIn(`
    return new Response(new ReadableStream({ pull() { for (;;); } }));`),
  ends: ['cpu-limit'],
  asks: { kind: 'http', route: 'GET /' },
} satisfies Attack;
