import type { Attack } from '../attack.ts';

export default {
  that: 'calls in its top-level code what V8 cannot interrupt',
  code: `Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);`,
  ends: ['startup-cpu-limit'],
} satisfies Attack;
