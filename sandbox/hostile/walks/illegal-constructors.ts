import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'constructs what only the runtime may construct',
  code: jobIn(`
    const fake = { id: 'forged', limits: { hostCalls: 1e9, logBytes: 1e9 }, over: false, seq: 0, hostCalls: 0, logSeq: 0, logBytes: 0, pending: new Map(), alarms: new Map() };
    const tries = [
      () => new AbortSignal(),
      () => Reflect.construct(AbortSignal, [Symbol('by runtime')]),
      () => new ctx.kv.constructor(fake, true),
      () => new ctx.log.constructor(fake, true),
      () => Reflect.construct(ctx.kv.constructor, [fake, true], Object),
    ];
    return tries.map((attempt) => { try { attempt(); return 'made'; } catch (error) { return error.name; } });`),
  ends: { answers: ['TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError'] },
} satisfies Attack;
