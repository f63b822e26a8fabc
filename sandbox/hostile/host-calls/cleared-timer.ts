import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'waits for a timer that it has cleared',
  code: jobIn(`await new Promise((done) => clearTimeout(setTimeout(done, 10)));`),
  ends: ['plugin-never-answered', 'wall-limit'],
  limits: { wallMs: 500 },
} satisfies Attack;
