import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'answers with a stream that gives nothing and does not end',
  code: routeIn(`
    return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));`),
  ends: ['plugin-never-answered'],
  asks: { kind: 'http', route: 'GET /' },
} satisfies Attack;
