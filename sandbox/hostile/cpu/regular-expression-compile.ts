import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'compiles regular expressions without end',
  code: jobIn(
    `for (let n = 0; ; n += 1) new RegExp('(?:' + Array.from({ length: 500 }, (_, at) => 'a' + at + n).join('|') + '){1,9}').test('b');`,
  ),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
