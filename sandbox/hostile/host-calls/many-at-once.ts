import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'starts more host calls at once than its installation may have in flight',
  code: jobIn(`
    const calls = Array.from({ length: 500 }, (_, at) => ctx.kv.increment('n' + (at % 3)));
    return (await Promise.all(calls)).length;`),
  ends: { answers: 500 },
  limits: { hostCalls: 1_000, hostCallsInFlight: 2, cpuMs: 1_000 },
} satisfies Attack;
