import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'passes arguments that no schema allows',
  code: jobIn(String.raw`
    const cycle = {}; cycle.cycle = cycle;
    const tries = [() => ctx.kv.get(''), () => ctx.kv.get('\u0000'), () => ctx.kv.set('k', cycle), () => ctx.kv.list({ limit: 1e9 }), () => ctx.kv.increment('k', 0.5), () => ctx.kv.set('k', 1, { ttlSeconds: -1 })];
    const codes = [];
    for (const attempt of tries) codes.push(await attempt().then(() => 'done', (error) => error.code));
    return codes;`),
  ends: {
    answers: [
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
    ],
  },
} satisfies Attack;
