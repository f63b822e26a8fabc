import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'clones a structure that is deep, wide and circular',
  code: jobIn(`
    const wide = {};
    for (let n = 0; n < 5_000; n += 1) wide['k' + n] = { n, wide, text: 'x'.repeat(100) };
    for (;;) structuredClone(wide);`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
