import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'replaces with a callback in a text of megabytes, again and again',
  code: jobIn(`for (;;) 'ab'.repeat(500_000).replace(/a/g, () => 'xy');`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
