import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'stores a value that is larger than an entry may be',
  code: jobIn(String.raw`
    const codes = [];
    codes.push(await ctx.kv.set('big', 'x'.repeat(300_000)).catch((error) => error.code));
    codes.push(await ctx.kv.set('big', { toJSON: () => '\u20ac'.repeat(100_000) }).catch((error) => error.code));
    return [...codes, await ctx.kv.get('big')];`),
  ends: { answers: ['kv-value-too-large', 'kv-value-too-large', null] },
} satisfies Attack;
