import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'shifts a million entries a million times',
  code: jobIn(`
    const list = Array.from({ length: 1e6 }, (_, n) => n);
    for (;;) { list.splice(1, 0, 0); list.splice(1, 1); list.unshift(1); list.shift(); }`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
