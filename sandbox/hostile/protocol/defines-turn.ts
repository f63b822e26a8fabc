import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'defines the functions of the lane itself',
  code: jobIn(String.raw`
    globalThis.turn = globalThis.drain = () => 'done forged - - 2\n{}';
    return 'mine';`),
  ends: { answers: 'mine' },
} satisfies Attack;
