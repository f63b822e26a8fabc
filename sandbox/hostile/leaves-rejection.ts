import { type Attack, attackIn } from './attack.ts';

export default {
  that: 'leaves a promise to reject unheard',
  code: attackIn('Promise.reject(new Error("nobody hears me")); return "still here";'),
  ends: 'answers',
} satisfies Attack;
