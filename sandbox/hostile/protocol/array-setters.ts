import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'catches the lists of the runtime with setters on Array.prototype',
  code: jobIn(`
    const caught = [];
    for (let at = 0; at < 3; at += 1) Object.defineProperty(Array.prototype, at, { set(value) { caught.push(typeof value); }, configurable: true });
    console.log({ a: [1, 2] }, new Error('x'), new Map([[1, 2]]));
    await ctx.kv.get('').catch((error) => error.stack);
    const target = new EventTarget();
    target.addEventListener('a', () => {});
    target.dispatchEvent(new Event('a'));
    new Headers({ a: 'b' }).get('a');
    delete Array.prototype[0]; delete Array.prototype[1]; delete Array.prototype[2];
    return caught;`),
  ends: { answers: [] },
} satisfies Attack;
