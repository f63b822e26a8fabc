import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws a thenable',
  code: jobIn(`throw { then(resolve) { resolve(this); }, toString() { throw 1; }, get message() { throw 2; } };`),
  ends: ['plugin-threw'],
} satisfies Attack;
