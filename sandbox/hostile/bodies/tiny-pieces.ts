import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'answers with bytes one by one, without end',
  code: routeIn(`
    return new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1)) }));`),
  ends: ['host-call-limit', 'cpu-limit'],
  asks: { kind: 'http', route: 'GET /' },
  limits: { pieces: 100, cpuMs: 1_000 },
} satisfies Attack;
