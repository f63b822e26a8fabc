import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'reserves address space in resizable buffers',
  code: jobIn(`
    const kept = [];
    for (let n = 0; n < 100; n += 1) kept.push(new ArrayBuffer(1, { maxByteLength: 2 ** 32 }));
    return kept.filter((one) => one.byteLength === 1 && one.resizable === undefined).length;`),
  ends: { answers: 100 },
} satisfies Attack;
