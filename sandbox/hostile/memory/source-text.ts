import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes functions out of one large source again and again',
  code: jobIn(`
    const kept = [];
    for (;;) kept.push(class { static a = kept.length; #b = new Array(50).fill(0); m() { return this.#b; } get n() { return super.n; } static { this.c = new this(); } });`),
  ends: ['heap-limit', 'cpu-limit'],
  limits: { cpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
