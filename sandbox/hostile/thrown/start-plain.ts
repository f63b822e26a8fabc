import type { Attack } from '../attack.ts';

export default {
  that: 'throws in its top-level code',
  code: `throw new RangeError('not today');`,
  ends: ['plugin-start-failed'],
  says: /not today/,
} satisfies Attack;
