import { type Attack, routeIn } from '../attack.ts';

export default {
  that: 'replaces the methods of regular expressions, then uses headers',
  code: routeIn(`
    RegExp.prototype.exec = RegExp.prototype.test = () => { throw new Error('planted'); };
    RegExp.prototype[Symbol.replace] = RegExp.prototype[Symbol.match] = () => { throw new Error('planted'); };
    return new Response('x', { headers: { 'X-A': ' b ' } });`),
  ends: {
    answers: {
      status: 200,
      headers: [
        ['x-a', 'b'],
        ['content-type', 'text/plain;charset=UTF-8'],
      ],
      body: 'x',
      bodyEncoding: 'utf8',
    },
  },
  asks: { kind: 'http', route: 'GET /' },
} satisfies Attack;
