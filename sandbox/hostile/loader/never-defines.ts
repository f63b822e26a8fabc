import type { Attack } from '../attack.ts';

export default {
  that: 'never defines a plugin',
  code: `globalThis.ready = true;`,
  ends: ['plugin-start-failed'],
  says: /defined no plugin/,
} satisfies Attack;
