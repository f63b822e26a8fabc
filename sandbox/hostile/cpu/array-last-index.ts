import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'searches four billion holes from the end',
  code: jobIn(`
    const holes = [];
    holes.length = 2 ** 32 - 1;
    for (;;) Array.prototype.lastIndexOf.call(holes, 1);`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
