import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps big integers',
  code: jobIn(`
    const kept = [];
    for (;;) kept.push(1n << BigInt(2 ** 20 + kept.length));`),
  ends: ['heap-limit', 'cpu-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
