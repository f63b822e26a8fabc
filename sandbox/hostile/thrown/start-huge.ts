import type { Attack } from '../attack.ts';

export default {
  that: 'throws hundreds of megabytes in its top-level code',
  code: `throw 'x'.repeat(2 ** 28);`,
  ends: ['plugin-start-failed', 'heap-limit'],
} satisfies Attack;
