import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers a string of two-byte characters that is far over its heap',
  code: jobIn(String.raw`return '\u20ac'.repeat(2 ** 27);`),
  ends: ['heap-limit', 'plugin-threw', 'cpu-limit', 'output-too-large'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
