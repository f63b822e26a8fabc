import type { Attack } from '../attack.ts';

export default {
  that: 'throws a symbol in its top-level code',
  code: `throw Symbol('not today');`,
  ends: ['plugin-start-failed'],
} satisfies Attack;
