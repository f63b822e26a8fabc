import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'spins after an await, in a turn that a host call began',
  code: jobIn(`
    await ctx.kv.get('a');
    for (;;);`),
  ends: ['cpu-limit'],
} satisfies Attack;
