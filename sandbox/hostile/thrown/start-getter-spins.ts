import type { Attack } from '../attack.ts';

export default {
  that: 'throws an error in its top-level code whose message takes for ever to read',
  code: `throw Object.defineProperty(new Error('x'), 'message', { get() { for (;;); } });`,
  ends: ['startup-cpu-limit'],
} satisfies Attack;
