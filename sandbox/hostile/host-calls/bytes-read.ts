import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes the host keep as many bytes of results as it can, and waits',
  code: jobIn(`
    for (let n = 0; n < 4; n += 1) await ctx.kv.set('k' + n, 'x'.repeat(250_000));
    for (let n = 0; n < 90; n += 1) await ctx.kv.list();
    return 'kept';`),
  ends: ['host-call-limit'],
  says: /hostCallBytes/,
  limits: { cpuMs: 1_000 },
} satisfies Attack;
