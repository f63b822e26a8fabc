import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers what JSON cannot write',
  code: jobIn(`return 10n;`),
  ends: ['plugin-answer-invalid'],
} satisfies Attack;
