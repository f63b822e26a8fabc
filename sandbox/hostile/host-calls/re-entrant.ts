import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes host calls from the continuations of host calls, at every level at once',
  code: jobIn(`
    const branch = async () => { await ctx.kv.increment('n'); await Promise.all([branch(), branch()]); };
    await branch();`),
  ends: ['host-call-limit', 'cpu-limit'],
} satisfies Attack;
