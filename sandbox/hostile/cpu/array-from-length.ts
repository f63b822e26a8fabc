import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes an array from a length alone',
  code: jobIn(`return Array.from({ length: 2 ** 32 - 1 }, () => 0).length;`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
