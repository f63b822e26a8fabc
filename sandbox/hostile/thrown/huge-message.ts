import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws an error with a message of eight million characters',
  code: jobIn(`throw new Error('h'.repeat(8_000_000));`),
  ends: ['plugin-threw'],
  says: /^h{2000}… \(7998000 more characters\)$/,
} satisfies Attack;
