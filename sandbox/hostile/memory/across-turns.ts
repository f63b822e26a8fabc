import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps a little more with every turn',
  code: jobIn(`
    globalThis.kept = [];
    for (;;) { globalThis.kept.push(new Array(2 ** 16).fill(1.5)); await new Promise((done) => setTimeout(done, 0)); }`),
  ends: ['heap-limit', 'host-call-limit', 'cpu-limit'],
  limits: { cpuMs: 1_000, timers: 1_000 },
} satisfies Attack;
