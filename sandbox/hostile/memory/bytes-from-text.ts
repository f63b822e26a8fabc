import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'takes memory by decoding text into bytes',
  code: jobIn(`
    const kept = [];
    const text = 'QUJD'.repeat(2 ** 18);
    for (;;) kept.push(Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : new TextEncoder().encode(text));`),
  ends: ['plugin-threw', 'heap-limit', 'cpu-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
