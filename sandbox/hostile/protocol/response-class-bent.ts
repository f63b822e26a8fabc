import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'bends the class Response before it answers',
  code: routeIn(`
    const response = new Response('real', { status: 201 });
    for (const name of ['status', 'headers', 'url', 'type']) try { Object.defineProperty(Response.prototype, name, { get: () => 999, configurable: true }); } catch {}
    try { Object.defineProperty(Response, Symbol.hasInstance, { value: () => true }); } catch {}
    return response;`),
  ends: {
    answers: {
      status: 201,
      headers: [['content-type', 'text/plain;charset=UTF-8']],
      body: 'real',
      bodyEncoding: 'utf8',
    },
  },
  asks: { kind: 'http', route: 'GET /' },
} satisfies Attack;
