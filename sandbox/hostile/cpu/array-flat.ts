import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'flattens arrays that hold themselves',
  code: jobIn(`
    const list = [1, 2, 3];
    list.push(list, list);
    return list.flat(Infinity).length;`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
