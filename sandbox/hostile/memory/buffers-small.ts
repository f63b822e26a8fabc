import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps millions of small buffers',
  code: jobIn(`
    const kept = [];
    for (;;) kept.push(new ArrayBuffer(64));`),
  ends: ['plugin-threw', 'heap-limit', 'cpu-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
