import { type Attack, attackIn } from './attack.ts';

export default {
  that: 'throws an error whose message takes for ever to read',
  code: attackIn('throw Object.defineProperty(new Error("x"), "message", { get() { for (;;); } });'),
  ends: ['cpu-limit', 'plugin-threw'],
} satisfies Attack;
