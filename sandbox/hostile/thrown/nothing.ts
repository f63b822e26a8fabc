import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws undefined',
  code: jobIn(`throw undefined;`),
  ends: ['plugin-threw'],
  says: /^undefined$/,
} satisfies Attack;
