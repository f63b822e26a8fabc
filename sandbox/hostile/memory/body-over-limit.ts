import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'answers a body of bytes over its limit',
  code: routeIn(`return new Response(new Uint8Array(3 * 2 ** 20));`),
  ends: ['output-too-large'],
  asks: { kind: 'http', route: 'GET /' },
} satisfies Attack;
