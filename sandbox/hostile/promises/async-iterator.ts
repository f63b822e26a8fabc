import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'iterates an asynchronous iterator without end',
  code: jobIn(
    `for await (const one of { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 1 }) }) });`,
  ),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
