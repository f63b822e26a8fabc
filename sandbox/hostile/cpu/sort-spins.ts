import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'spins in a comparator',
  code: jobIn(`new Int32Array(10).sort(() => { for (;;); });`),
  ends: ['cpu-limit'],
} satisfies Attack;
