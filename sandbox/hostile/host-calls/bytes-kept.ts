import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes the host keep as many bytes as it can, and waits',
  code: jobIn(`
    const value = 'x'.repeat(250_000);
    for (let n = 0; n < 100; n += 1) await ctx.kv.set('k', value);
    await new Promise((done) => setTimeout(done, 5_000));
    return 'kept';`),
  ends: ['host-call-limit'],
  says: /hostCallBytes/,
  limits: { cpuMs: 1_000 },
} satisfies Attack;
