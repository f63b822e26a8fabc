import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers an object that is nothing as JSON',
  code: jobIn(`return { toJSON: () => undefined };`),
  ends: ['plugin-answer-invalid'],
} satisfies Attack;
