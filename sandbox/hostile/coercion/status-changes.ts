import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'answers a status that changes while it is checked',
  code: routeIn(`
    let asked = 0;
    return new Response(null, { status: { valueOf: () => (++asked > 1 ? 99_999 : 200) } });`),
  ends: { answers: { status: 200, headers: [], body: null, bodyEncoding: 'utf8' } },
  asks: { kind: 'http', route: 'GET /' },
} satisfies Attack;
