import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'answers a text that is six times as long as JSON',
  code: routeIn(String.raw`return new Response('\u0001'.repeat(2 ** 20 - 1));`),
  ends: ['output-too-large'],
  asks: { kind: 'http', route: 'GET /' },
  limits: { cpuMs: 1_000 },
} satisfies Attack;
