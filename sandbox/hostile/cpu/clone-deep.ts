import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'clones a value that is nested deeper than any stack, and one that is wide',
  code: jobIn(`
    let deep = {};
    for (let at = 0; at < 1e5; at += 1) deep = { deep };
    let name = 'none';
    try { structuredClone(deep); } catch (error) { name = error.name; }
    if (name !== 'RangeError') return name;
    for (;;) structuredClone(Array.from({ length: 1e4 }, (_, at) => new Map([[at, new Set([at])]])));`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
