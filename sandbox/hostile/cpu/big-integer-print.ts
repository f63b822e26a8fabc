import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'prints a huge integer, which V8 cannot interrupt',
  code: jobIn(`return String(7n ** 12_000_000n).length;`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
