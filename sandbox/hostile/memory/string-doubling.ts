import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'doubles a string until it cannot be flattened',
  code: jobIn(`
    const kept = [];
    for (;;) { let s = 'x' + kept.length; while (s.length < 2 ** 24) s += s; kept.push(JSON.stringify(s)); }`),
  ends: ['heap-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
