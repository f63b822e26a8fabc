import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'registers symbols without end',
  code: jobIn(`
    const kept = [];
    for (let n = 0; ; n += 1) kept.push(Symbol.for('s'.repeat(100) + n));`),
  ends: ['heap-limit', 'cpu-limit'],
  limits: { cpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
