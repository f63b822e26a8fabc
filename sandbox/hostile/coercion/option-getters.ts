import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'calls the host again from the getters of its options',
  code: jobIn(`
    let inner;
    const options = { get ttlSeconds() { inner = ctx.kv.increment('inner'); return 60; }, get ifVersion() { return undefined; } };
    const outer = await ctx.kv.set('outer', 1, options);
    return [outer, (await inner).value];`),
  ends: { answers: [{ version: 1 }, 1] },
} satisfies Attack;
