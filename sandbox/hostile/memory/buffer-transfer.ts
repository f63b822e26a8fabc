import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'grows buffers by transferring them',
  code: jobIn(`
    let buffer = new ArrayBuffer(2 ** 16);
    for (;;) { buffer = buffer.transfer(buffer.byteLength * 2); new Uint8Array(buffer).fill(1); }`),
  ends: ['plugin-threw', 'heap-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
