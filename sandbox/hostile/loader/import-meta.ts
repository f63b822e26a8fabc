import type { Attack } from '../attack.ts';

export default {
  that: 'asks for its own address',
  code: `const where = import.meta.url;`,
  ends: ['plugin-start-failed'],
} satisfies Attack;
