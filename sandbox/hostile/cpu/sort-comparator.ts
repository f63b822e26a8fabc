import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sorts with a comparator that never agrees with itself',
  code: jobIn(`for (;;) Array.from({ length: 1e5 }, (_, n) => n).sort(() => Math.random() - 0.5);`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
