import { type Attack, jobsIn } from '../attack.ts';

export default {
  that: 'leaves broken streams to its next invocation',
  code: jobsIn({
    job: `
    const bomb = () => { throw new Error('sabotage'); };
    for (const Class of [ReadableStream, WritableStream, TransformStream, ReadableStreamDefaultReader, Blob, FormData, Headers, Response, Request])
      for (const name of Object.getOwnPropertyNames(Class.prototype)) if (name !== 'constructor') Object.defineProperty(Class.prototype, name, { value: bomb });
    globalThis.ReadableStream = globalThis.Blob = bomb;
    return 'done';`,
    next: `return (await ctx.kv.increment('n')).value;`,
  }),
  ends: { answers: 'done' },
  later: [
    { by: 'attacker', asks: { kind: 'schedule', name: 'next' }, ends: { answers: 1 } },
    { by: 'bystander', asks: { kind: 'schedule', name: 'next' }, ends: { answers: 1 } },
  ],
} satisfies Attack;
