import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'gives a timer a delay that takes for ever to convert',
  code: jobIn(`setTimeout(() => {}, { valueOf() { for (;;); } });`),
  ends: ['cpu-limit'],
} satisfies Attack;
