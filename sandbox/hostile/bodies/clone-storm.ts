import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'clones a streamed body without end',
  code: jobIn(`
    const answer = new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(2 ** 16)) }));
    globalThis.kept = [];
    for (;;) kept.push(answer.clone());`),
  ends: ['heap-limit', 'cpu-limit', 'plugin-threw'],
  limits: { cpuMs: 200 },
} satisfies Attack;
