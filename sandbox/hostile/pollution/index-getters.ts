import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'plants getters and setters for indexes on Array.prototype and Object.prototype',
  code: jobIn(`
    for (const owner of [Array.prototype, Object.prototype]) {
      for (let at = 0; at < 5; at += 1) Object.defineProperty(owner, at, { get: () => 'planted', set() { throw new Error('planted'); }, configurable: true });
    }
    const { value } = await ctx.kv.increment('a');
    console.log({ a: [1] });
    return value;`),
  ends: { answers: 1 },
  logs: ['{ a: [ 1 ] }'],
} satisfies Attack;
