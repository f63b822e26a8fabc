import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'backtracks inside of a lookahead, over references',
  code: jobIn(String.raw`/^(?=((\w+)+\s?\2*)+!)/.test('w'.repeat(60));`),
  ends: ['cpu-limit', 'plugin-threw'],
} satisfies Attack;
