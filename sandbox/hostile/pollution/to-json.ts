import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'plants toJSON everywhere',
  code: jobIn(`
    const plant = (owner) => Object.defineProperty(owner, 'toJSON', { value: () => 'planted', configurable: true });
    for (const owner of [String.prototype, Number.prototype, Boolean.prototype]) plant(owner);
    const set = await ctx.kv.set('k', 1);
    return [set, await ctx.kv.get('k')];`),
  ends: { answers: [{ version: 1 }, { key: 'k', value: 1, version: 1 }] },
} satisfies Attack;
