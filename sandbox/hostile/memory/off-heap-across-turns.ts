import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps formatters, turn after turn',
  code: jobIn(`
    const kept = [];
    for (;;) { for (let n = 0; n < 20; n += 1) kept.push(new Intl.DateTimeFormat('th-TH-u-ca-buddhist', { dateStyle: 'full', timeStyle: 'full' })); await new Promise((done) => setTimeout(done, 0)); }`),
  ends: ['heap-limit', 'host-call-limit', 'cpu-limit', 'plugin-threw'],
  limits: { cpuMs: 1_000, timers: 1_000, heapMiB: 8 },
} satisfies Attack;
