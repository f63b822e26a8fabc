import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'scans nine quadrillion entries in one built-in call, which V8 cannot interrupt',
  code: jobIn(`return Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);`),
  ends: ['cpu-limit'],
} satisfies Attack;
