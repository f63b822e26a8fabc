import type { Attack } from '../attack.ts';

export default {
  that: 'awaits in its top-level code',
  code: `await new Promise(() => {});`,
  ends: ['plugin-start-failed'],
} satisfies Attack;
