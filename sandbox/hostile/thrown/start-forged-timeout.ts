import type { Attack } from '../attack.ts';

export default {
  that: 'throws the words of a timeout in its top-level code',
  code: `throw new Error('Script execution timed out.');`,
  ends: ['plugin-start-failed'],
} satisfies Attack;
