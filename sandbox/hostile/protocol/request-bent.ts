import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'bends the class Request and the headers it is given',
  code: routeIn(`
    for (const name of ['append', 'set', 'has', 'delete']) try { Headers.prototype[name] = () => { throw new Error('bent'); }; } catch {}
    return request.headers.get('x-a');`),
  ends: {
    answers: { status: 200, headers: [['content-type', 'application/json']], body: '"b"', bodyEncoding: 'utf8' },
  },
  asks: { kind: 'http', route: 'GET /', headers: [['X-A', 'b']] },
} satisfies Attack;
