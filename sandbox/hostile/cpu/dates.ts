import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'parses and prints dates without end',
  code: jobIn(
    `for (let n = 0; ; n += 1) new Date('2020-01-01T00:00:00.' + (n % 1000)).toLocaleString('ar-EG', { timeZone: 'Asia/Kathmandu' });`,
  ),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
