import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'puts a proxy behind the global object',
  code: jobIn(`
    let bent = 'refused';
    try { Object.setPrototypeOf(globalThis, new Proxy({}, { get() { throw new Error('planted'); }, has: () => true })); bent = 'bent'; } catch {}
    try { Object.setPrototypeOf(Object.getPrototypeOf(globalThis), new Proxy({}, { get() { throw new Error('planted'); } })); } catch {}
    return (await ctx.kv.increment('a')).value;`),
  ends: { answers: 1 },
} satisfies Attack;
