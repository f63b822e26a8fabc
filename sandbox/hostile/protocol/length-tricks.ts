import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers characters that are one unit here and three bytes there',
  code: jobIn(String.raw`
    await ctx.kv.set('wide', '\u20ac'.repeat(80_000));
    console.log('\u20ac'.repeat(5_000));
    return (await ctx.kv.get('wide')).value.length + '\u20ac'.repeat(220_000).length;`),
  ends: { answers: 300_000 },
} satisfies Attack;
