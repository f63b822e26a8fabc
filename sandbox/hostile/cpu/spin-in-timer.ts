import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'spins in a timer',
  code: jobIn(`
    setTimeout(() => { for (;;); }, 1);
    await new Promise(() => {});`),
  ends: ['cpu-limit'],
} satisfies Attack;
