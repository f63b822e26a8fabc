import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers with a thenable that calls back never',
  code: jobIn(`return { then() {} };`),
  ends: ['plugin-never-answered'],
} satisfies Attack;
