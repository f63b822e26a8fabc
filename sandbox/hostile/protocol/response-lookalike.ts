import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'answers with something that only looks like a Response',
  code: routeIn(`return Object.create(Response.prototype, { status: { value: 999, enumerable: true } });`),
  ends: {
    answers: {
      status: 200,
      headers: [['content-type', 'application/json']],
      body: '{"status":999}',
      bodyEncoding: 'utf8',
    },
  },
  asks: { kind: 'http', route: 'GET /' },
} satisfies Attack;
