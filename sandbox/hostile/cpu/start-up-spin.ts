import type { Attack } from '../attack.ts';

export default {
  that: 'spins in its top-level code',
  code: `for (;;);`,
  ends: ['startup-cpu-limit'],
} satisfies Attack;
