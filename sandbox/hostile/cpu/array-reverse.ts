import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'reverses nine quadrillion entries that are not there',
  code: jobIn(`return Array.prototype.reverse.call({ length: 2 ** 53 - 1 });`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
