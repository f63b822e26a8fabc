import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'plants setters on Array.prototype, then throws',
  code: jobIn(`
    for (let at = 0; at < 10; at += 1) Object.defineProperty(Array.prototype, at, { set() { throw new Error('planted'); }, configurable: true });
    throw Object.defineProperties(new Error('over the top'), { cause: { value: new TypeError('below') }, errors: { value: Object.assign([], { length: 4 }) } });`),
  ends: ['plugin-threw'],
  says: /^over the top$/,
} satisfies Attack;
