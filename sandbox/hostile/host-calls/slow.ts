import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sleeps past its deadline',
  code: jobIn(`
    await new Promise((done) => setTimeout(done, 300));
    for (let n = 0; n < 50; n += 1) await new Promise((done) => setTimeout(done, 50));`),
  ends: ['wall-limit'],
  limits: { wallMs: 500 },
} satisfies Attack;
