import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'looks for the two functions of the lane',
  code: jobIn(`
    const own = Object.getOwnPropertyDescriptors(globalThis);
    return [typeof turn, typeof drain, typeof own.turn, typeof __gatehouse_define];`),
  ends: { answers: ['undefined', 'undefined', 'undefined', 'undefined'] },
} satisfies Attack;
