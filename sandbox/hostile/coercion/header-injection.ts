import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'writes a line break into a header',
  code: routeIn(String.raw`return new Response(null, { headers: { 'x-value': 'a\r\nset-cookie: stolen=1' } });`),
  ends: ['plugin-threw'],
  asks: { kind: 'http', route: 'GET /' },
  says: /x-value/,
} satisfies Attack;
