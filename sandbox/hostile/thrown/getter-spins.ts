import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws an error whose message takes for ever to read',
  code: jobIn(`throw Object.defineProperty(new Error('x'), 'message', { get() { for (;;); } });`),
  ends: ['cpu-limit'],
} satisfies Attack;
