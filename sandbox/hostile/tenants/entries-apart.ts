import { type Attack, jobsIn } from '../attack.ts';

export default {
  that: 'reads what another installation of the same bundle has stored',
  code: jobsIn({
    job: `return (await ctx.kv.increment('mine')).value;`,
    look: `return (await ctx.kv.list()).entries;`,
  }),
  ends: { answers: 1 },
  later: [
    { by: 'bystander', ends: { answers: 1 } },
    { by: 'attacker', ends: { answers: 2 } },
    {
      by: 'bystander',
      asks: { kind: 'schedule', name: 'look' },
      ends: { answers: [{ key: 'mine', value: 1, version: 1 }] },
    },
  ],
} satisfies Attack;
