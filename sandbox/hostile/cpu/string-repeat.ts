import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'searches in strings of hundreds of megabytes',
  code: jobIn(`for (;;) 'ab'.repeat(2 ** 27).indexOf('ba'.repeat(2 ** 20) + 'c');`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
