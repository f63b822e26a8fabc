import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps what it transfers, again and again',
  code: jobIn(`
    const kept = [];
    for (;;) {
      const buffer = new ArrayBuffer(4 * 1024 * 1024);
      new Uint8Array(buffer).fill(1);
      kept.push(structuredClone({ buffer, views: [new Uint8Array(buffer), new DataView(buffer)] }, { transfer: [buffer] }));
    }`),
  ends: ['heap-limit', 'sandbox-killed', 'cpu-limit', 'plugin-threw'],
} satisfies Attack;
