import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'backtracks in a regular expression for ever',
  code: jobIn(`/^(a+)+$/.test('a'.repeat(60) + 'b');`),
  ends: ['cpu-limit'],
} satisfies Attack;
