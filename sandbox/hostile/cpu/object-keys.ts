import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes an object of a million keys, and sorts, spreads and writes it',
  code: jobIn(`
    const many = {};
    for (let n = 0; n < 1e6; n += 1) many['k' + n] = n;
    for (;;) Object.entries({ ...many }).sort();`),
  ends: ['cpu-limit', 'heap-limit', 'output-too-large'],
} satisfies Attack;
