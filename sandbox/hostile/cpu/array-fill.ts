import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'fills an array of four billion entries in one built-in call',
  code: jobIn(`return new Array(2 ** 32 - 1).fill(1).length;`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
