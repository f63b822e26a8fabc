import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'squares an integer until it fills its heap',
  code: jobIn(`
    let n = 3n;
    for (;;) n *= n;`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
