import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'fills its heap with arrays',
  code: jobIn(`
    const kept = [];
    for (;;) kept.push(new Array(1_000).fill(kept.length));`),
  ends: ['heap-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
