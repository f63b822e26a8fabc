import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'answers with a stream that never ends',
  code: routeIn(`
    return new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(2 ** 16)) }));`),
  ends: ['output-too-large', 'cpu-limit'],
  asks: { kind: 'http', route: 'GET /' },
  limits: { cpuMs: 200 },
} satisfies Attack;
