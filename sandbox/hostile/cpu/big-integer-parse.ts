import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'parses an integer of millions of digits',
  code: jobIn(`return BigInt('9'.repeat(8_000_000)) > 0n;`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
