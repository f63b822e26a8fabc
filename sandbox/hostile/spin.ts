import { type Attack, attackIn } from './attack.ts';

export default {
  that: 'spins at once',
  code: attackIn('for (;;);'),
  ends: ['cpu-limit'],
} satisfies Attack;
