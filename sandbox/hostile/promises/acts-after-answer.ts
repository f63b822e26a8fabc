import { type Attack, jobsIn } from '../attack.ts';

export default {
  that: 'goes on calling the host after its answer',
  code: jobsIn({
    job: `
    globalThis.late = (async () => { for (let n = 0; n < 10; n += 1) await null; try { await ctx.kv.set('late', 1); } catch (error) { globalThis.refusal = error.code; } })();
    return 'answered';`,
    later: `
    await globalThis.late;
    return [await ctx.kv.get('late'), globalThis.refusal];`,
  }),
  ends: { answers: 'answered' },
  later: [{ by: 'attacker', asks: { kind: 'schedule', name: 'later' }, ends: { answers: [null, 'invocation-over'] } }],
} satisfies Attack;
