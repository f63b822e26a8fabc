import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps closures, generators and promises that never end',
  code: jobIn(`
    const kept = [];
    function* wait() { const own = new Array(100).fill(kept.length); yield own; }
    for (;;) { const one = wait(); one.next(); kept.push(one, new Promise(() => one), () => one, (async () => { await new Promise(() => {}); return one; })()); }`),
  ends: ['heap-limit', 'cpu-limit'],
  limits: { cpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
