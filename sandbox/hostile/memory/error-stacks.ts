import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps errors with stacks of unbounded depth',
  code: jobIn(`
    Error.stackTraceLimit = Infinity;
    const kept = [];
    const fall = (n) => (n > 0 ? fall(n - 1) : new Error('deep'));
    for (;;) { const error = fall(3_000); error.stack; kept.push(error); }`),
  ends: ['heap-limit', 'cpu-limit', 'plugin-threw'],
  limits: { cpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
