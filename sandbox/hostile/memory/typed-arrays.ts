import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'takes memory outside of the V8 heap',
  code: jobIn(`
    const kept = [];
    for (;;) kept.push(new Uint8Array(2 ** 20).fill(1));`),
  ends: ['heap-limit', 'plugin-threw'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
