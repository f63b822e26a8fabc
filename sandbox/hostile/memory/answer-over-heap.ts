import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers more than it may',
  code: jobIn(`return 'x'.repeat(3 * 2 ** 20);`),
  ends: ['output-too-large'],
} satisfies Attack;
