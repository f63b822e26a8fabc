import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sleeps until long after its deadline',
  code: jobIn(`await new Promise((done) => setTimeout(done, 2 ** 31 - 1));`),
  ends: ['wall-limit'],
  limits: { wallMs: 500 },
} satisfies Attack;
