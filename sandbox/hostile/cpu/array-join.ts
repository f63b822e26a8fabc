import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'joins an array that holds itself in many places',
  code: jobIn(`
    let list = ['x'];
    for (let n = 0; n < 60; n += 1) list = [list, list];
    return list.toString();`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw', 'output-too-large'],
} satisfies Attack;
