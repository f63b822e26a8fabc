import { type Attack, attackIn } from './attack.ts';

export default {
  that: 'waits for a promise that nobody settles',
  code: attackIn('await new Promise(() => {});'),
  ends: ['plugin-never-answered'],
} satisfies Attack;
