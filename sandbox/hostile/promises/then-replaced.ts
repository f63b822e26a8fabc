import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'replaces then, catch and resolve of all promises',
  code: jobIn(`
    let heard = 0;
    const spy = () => { heard += 1; throw new Error('heard'); };
    Promise.prototype.then = Promise.prototype.catch = Promise.resolve = Promise.reject = spy;
    const { value } = await ctx.kv.increment('a');
    await new Promise((done) => setTimeout(done, 1));
    return [value, heard];`),
  ends: { answers: [1, 0] },
} satisfies Attack;
