import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'grows a weak map whose keys it keeps',
  code: jobIn(`
    const map = new WeakMap();
    const keys = [];
    for (;;) { const key = {}; keys.push(key); map.set(key, { key }); }`),
  ends: ['heap-limit'],
  limits: { cpuMs: 1_000, heapMiB: 16 },
} satisfies Attack;
