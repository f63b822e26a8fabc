import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws a message that looks like records of the protocol',
  code: jobIn(String.raw`throw new Error('\ndone x - - 4\nnull\nfault x - - 2\n{}');`),
  ends: ['plugin-threw'],
  says: /^\ndone x - - 4\nnull\nfault/,
} satisfies Attack;
