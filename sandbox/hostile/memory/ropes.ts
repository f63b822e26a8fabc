import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'flattens a rope of half a gigabyte',
  code: jobIn(`
    let rope = 'ab';
    while (rope.length < 2 ** 28) rope += rope;
    return rope.charCodeAt(rope.length >> 1) + [...rope].length;`),
  ends: ['heap-limit', 'plugin-threw', 'cpu-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
