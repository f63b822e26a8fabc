import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes one host call more than it may',
  code: jobIn(`
    for (let n = 0; n < 11; n += 1) await ctx.kv.increment('n').catch((error) => error);
    return 'unnoticed';`),
  ends: ['host-call-limit'],
  says: /11; 10/,
  limits: { hostCalls: 10, cpuMs: 1_000 },
} satisfies Attack;
