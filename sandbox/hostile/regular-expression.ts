import { type Attack, attackIn } from './attack.ts';

export default {
  that: 'backtracks in a regular expression for ever',
  code: attackIn('/^(a+)+$/.test("a".repeat(60) + "b");'),
  ends: ['cpu-limit'],
} satisfies Attack;
