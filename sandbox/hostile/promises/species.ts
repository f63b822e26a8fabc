import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes every derived promise a spy',
  code: jobIn(`
    let spied = 0;
    class Spy extends Promise { constructor(run) { super(run); spied += 1; } }
    Object.defineProperty(Promise, Symbol.species, { get: () => Spy });
    const { value } = await ctx.kv.increment('a');
    return [value, spied];`),
  ends: { answers: [1, 0] },
} satisfies Attack;
