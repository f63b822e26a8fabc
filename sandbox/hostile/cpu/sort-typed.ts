import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sorts typed arrays in one built-in call after another',
  code: jobIn(`
    const numbers = new Float64Array(1e6).map((_, at) => (at * 7919) % 1e6);
    for (;;) numbers.slice().sort();`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
