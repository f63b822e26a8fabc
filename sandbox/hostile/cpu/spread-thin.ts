import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'uses its CPU time in many short turns',
  code: jobIn(`for (;;) { await new Promise((done) => setTimeout(done, 0)); for (let n = 0; n < 1e6; n += 1); }`),
  ends: ['cpu-limit'],
  limits: { timers: 1_000 },
} satisfies Attack;
