import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'normalises texts of combining marks',
  code: jobIn(String.raw`for (;;) ('a' + '\u0301\u0316'.repeat(200_000)).normalize('NFKC').normalize('NFD');`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
