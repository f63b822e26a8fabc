import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'waits for all of an iterator without end',
  code: jobIn(`await Promise.all({ *[Symbol.iterator]() { for (;;) yield Promise.resolve(1); } });`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
