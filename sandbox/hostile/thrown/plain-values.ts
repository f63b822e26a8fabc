import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws what is no error',
  code: jobIn(`throw Symbol('odd');`),
  ends: ['plugin-threw'],
  says: /^Symbol\(odd\)$/,
} satisfies Attack;
