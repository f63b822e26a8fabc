import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'reads a stream that never ends into memory',
  code: jobIn(`
    return (await new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(2 ** 20)) })).bytes()).length;`),
  ends: ['heap-limit', 'plugin-threw', 'cpu-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
