import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'replaces what fetch could rely on, and still gets no further than others',
  code: jobIn(`
    const stolen = [];
    EventTarget.prototype.addEventListener = (...args) => stolen.push(args);
    JSON.stringify = (value) => (stolen.push(value), '{"url":"https://evil.test/"}');
    Promise.prototype.then = new Proxy(Promise.prototype.then, { apply: (then, self, args) => Reflect.apply(then, self, args) });
    Array.prototype[Symbol.iterator] = function* () { yield ['host', 'evil.test']; };
    Object.defineProperty(Object.prototype, 'toJSON', { value: () => 'evil', configurable: true });
    Object.defineProperty(Object.prototype, 'redirect', { value: 'manual', configurable: true });
    let code = 'sent';
    try { await fetch('https://api.example.com/', { method: 'POST', body: 'x' }); } catch (error) { code = error.code; }
    delete Object.prototype.toJSON;
    delete Object.prototype.redirect;
    return stolen.length === 0 ? code : 'stolen';`),
  ends: { answers: 'fetch-host-undeclared' },
} satisfies Attack;
