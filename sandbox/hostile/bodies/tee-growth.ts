import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'reads one branch of a tee and lets the other grow',
  code: jobIn(`
    const [read, kept] = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(2 ** 16).fill(1)) }).tee();
    globalThis.kept = kept;
    for await (const chunk of read) chunk.fill(2);`),
  ends: ['heap-limit', 'plugin-threw', 'cpu-limit'],
  limits: { cpuMs: 200 },
} satisfies Attack;
