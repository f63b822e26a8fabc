import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'fills typed arrays without end',
  code: jobIn(`
    const bytes = new Uint8Array(16 * 2 ** 20);
    for (let n = 0; ; n += 1) bytes.fill(n).indexOf(256);`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
