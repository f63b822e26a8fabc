import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'grows a map so quickly that V8 aborts the process',
  code: jobIn(`
    const map = new Map();
    for (let n = 0; ; n += 1) map.set(n, n);`),
  ends: ['heap-limit'],
  limits: { cpuMs: 1_000, heapMiB: 16 },
} satisfies Attack;
