import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'asks for a buffer of eight gigabytes',
  code: jobIn(`return new ArrayBuffer(2 ** 33).byteLength;`),
  ends: ['plugin-threw', 'heap-limit'],
} satisfies Attack;
