import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'parses a domain of a hundred thousand letters beyond ASCII',
  code: jobIn(
    `for (let at = 0; ; at += 1) URL.canParse('https://' + ('ü' + String.fromCodePoint(0x4e00 + at % 1000)).repeat(5e4) + '.example/');`,
  ),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
