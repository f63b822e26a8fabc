import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'spins at once',
  code: jobIn(`for (;;);`),
  ends: ['cpu-limit'],
} satisfies Attack;
