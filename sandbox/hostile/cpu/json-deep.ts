import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'parses and writes JSON that is nested a million levels deep',
  code: jobIn(`return JSON.parse('['.repeat(1e6) + ']'.repeat(1e6));`),
  ends: ['output-too-large', 'plugin-threw', 'cpu-limit', 'heap-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
