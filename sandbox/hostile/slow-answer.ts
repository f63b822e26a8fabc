import { type Attack, attackIn } from './attack.ts';

export default {
  that: 'sleeps past its deadline',
  code: attackIn(
    'await new Promise((done) => setTimeout(done, 300)); for (let n = 0; n < 50; n++) await new Promise((done) => setTimeout(done, 50));',
  ),
  ends: ['wall-limit'],
  limits: { wallMs: 500 },
} satisfies Attack;
