import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'gives an object properties without end, each of another shape',
  code: jobIn(`
    const kept = [];
    for (let n = 0; ; n += 1) { const one = {}; for (let k = 0; k < 50; k += 1) one['p' + n + '_' + k] = k; kept.push(one); }`),
  ends: ['heap-limit', 'cpu-limit'],
  limits: { cpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
