import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'reads a stream that gives nothing, again and again',
  code: jobIn(`
    return new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(0)) })).text();`),
  ends: ['cpu-limit'],
} satisfies Attack;
