import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'replaces the iterator of arrays',
  code: jobIn(`
    Array.prototype[Symbol.iterator] = function* () { yield 'planted'; };
    const { value } = await ctx.kv.increment('a');
    return [value, new URLSearchParams('a=1').toString()];`),
  ends: { answers: [1, 'a=1'] },
} satisfies Attack;
