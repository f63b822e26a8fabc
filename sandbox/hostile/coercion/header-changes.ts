import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'answers a header value that changes between check and use',
  code: routeIn(String.raw`
    let asked = 0;
    const value = { toString: () => (++asked === 1 ? ' clean ' : 'dirty\r\nset-cookie: stolen=1') };
    String.prototype.replace = () => ({ toString: () => (++asked < 4 ? 'clean' : 'dirty\r\nx: y'), toJSON: () => ['not', 'text'] });
    return new Response(null, { headers: { 'x-value': value } });`),
  ends: { answers: { status: 200, headers: [['x-value', 'clean']], body: null, bodyEncoding: 'utf8' } },
  asks: { kind: 'http', route: 'GET /' },
} satisfies Attack;
