import { type Attack, attackIn } from './attack.ts';

export default {
  that: 'fills an array of four billion entries in one built-in call',
  code: attackIn('return new Array(2 ** 32 - 1).fill(1).length;'),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
