import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'doubles a blob until there is no memory',
  code: jobIn(`
    let blob = new Blob(['x'.repeat(1e5)]);
    for (;;) blob = new Blob([blob, blob]);`),
  ends: ['heap-limit', 'plugin-threw'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
