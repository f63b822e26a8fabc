import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers with an object whose then cannot be read',
  code: jobIn(`return { get then() { throw new Error('unreadable'); } };`),
  ends: ['plugin-threw'],
  says: /^unreadable$/,
} satisfies Attack;
