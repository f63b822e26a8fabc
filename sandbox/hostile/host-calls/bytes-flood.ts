import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sends the host as many bytes as it can in one turn',
  code: jobIn(`
    const value = 'x'.repeat(250_000);
    const calls = [];
    for (let n = 0; n < 1_000; n += 1) calls.push(ctx.kv.set('k' + (n % 10), value));
    await Promise.all(calls);
    return 'took it all';`),
  ends: ['host-call-limit', 'heap-limit', 'cpu-limit'],
  limits: { hostCalls: 1_000, cpuMs: 1_000, heapMiB: 128 },
} satisfies Attack;
