import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'pads a string with a long filler, again and again',
  code: jobIn(`for (let n = 0; ; n += 1) 'x'.padEnd(2 ** 28, 'filler' + n).at(-1);`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
