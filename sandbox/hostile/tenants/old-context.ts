import { type Attack, jobsIn } from '../attack.ts';

export default {
  that: 'keeps the context of one invocation and uses it in the next',
  code: jobsIn({
    job: `
    globalThis.old = ctx;
    return 'kept';`,
    use: `
    const code = await globalThis.old.kv.set('stolen', 1).catch((error) => error.code);
    return [code, await ctx.kv.get('stolen')];`,
  }),
  ends: { answers: 'kept' },
  later: [{ by: 'attacker', asks: { kind: 'schedule', name: 'use' }, ends: { answers: ['invocation-over', null] } }],
} satisfies Attack;
