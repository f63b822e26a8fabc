import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'copies within nine quadrillion entries that are not there',
  code: jobIn(`return Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 1, 0);`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
