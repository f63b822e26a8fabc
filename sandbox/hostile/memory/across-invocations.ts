import { type Attack, jobsIn } from '../attack.ts';

export default {
  that: 'keeps a little more with every invocation',
  code: jobsIn({
    job: `
    globalThis.kept ??= [];
    globalThis.kept.push(new Array(2 ** 17).fill(1.5));
    return globalThis.kept.length;`,
    burst: `for (;;) globalThis.kept.push(new Array(2 ** 17).fill(1.5));`,
  }),
  ends: { answers: 1 },
  limits: { heapMiB: 8, cpuMs: 1_000 },
  later: [
    { by: 'bystander', ends: { answers: 1 } },
    { by: 'attacker', asks: { kind: 'schedule', name: 'burst' }, ends: ['heap-limit'] },
    { by: 'attacker', ends: { answers: 1 } },
  ],
} satisfies Attack;
