import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers and goes on for ever',
  code: jobIn(`
    queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => { for (;;); }))));
    return 'an answer';`),
  ends: ['cpu-limit'],
} satisfies Attack;
