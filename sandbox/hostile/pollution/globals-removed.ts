import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'removes every global',
  code: jobIn(
    `
    const names = ownKeys(world);
    for (let n = 0; n < names.length; n += 1) deleteProperty(world, names[n]);
    await ctx.kv.increment('a');
    return 'left';`,
    `
    const world = globalThis;
    const { ownKeys, deleteProperty } = Reflect;`,
  ),
  ends: { answers: 'left' },
  later: [{ by: 'attacker', ends: { answers: 'left' } }],
} satisfies Attack;
