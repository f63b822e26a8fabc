import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'runs out of stack inside the runtime, with a call half made',
  code: jobIn(`
    const waiting = [];
    const fall = () => { try { fall(); } catch {} if (waiting.length < 200) waiting.push(ctx.kv.get('a').catch(() => {})); };
    try { fall(); } catch {}
    await Promise.allSettled(waiting);
    await ctx.kv.get('b');
    return 'still here';`),
  ends: { answers: 'still here' },
  limits: { cpuMs: 1_000, hostCalls: 1_000 },
} satisfies Attack;
