import type { Attack } from '../attack.ts';

export default {
  that: 'fills its heap in its top-level code',
  code: `
    const kept = [];
    for (;;) kept.push(new Array(1_000).fill(kept.length));`,
  ends: ['heap-limit'],
  limits: { startupCpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
