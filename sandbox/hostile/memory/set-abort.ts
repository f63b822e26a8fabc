import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'grows a set of objects until V8 aborts',
  code: jobIn(`
    const set = new Set();
    for (;;) set.add({});`),
  ends: ['heap-limit'],
  limits: { cpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
