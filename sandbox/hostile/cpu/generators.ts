import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'delegates through a hundred thousand generators',
  code: jobIn(`
    function* deep(n) { if (n > 0) yield* deep(n - 1); else for (;;) yield n; }
    for (const _ of deep(5_000));`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
