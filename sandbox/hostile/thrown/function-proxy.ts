import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws a callable proxy whose name cannot be read',
  code: jobIn(`throw new Proxy(function () {}, { getOwnPropertyDescriptor() { throw 1; } });`),
  ends: ['plugin-threw'],
} satisfies Attack;
