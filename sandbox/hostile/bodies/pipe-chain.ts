import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'pipes through a hundred thousand streams',
  code: jobIn(`
    let stream = ReadableStream.from(['x']);
    for (let at = 0; at < 1e5; at += 1) stream = stream.pipeThrough(new TransformStream());
    return (await stream.getReader().read()).value;`),
  ends: ['heap-limit', 'cpu-limit', 'plugin-threw'],
  limits: { cpuMs: 200 },
} satisfies Attack;
