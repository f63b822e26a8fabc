import type { Attack } from '../attack.ts';

export default {
  that: 'defines something that is no plugin',
  code: `__gatehouse_define(null);`,
  ends: ['plugin-start-failed'],
  says: /default export/,
} satisfies Attack;
