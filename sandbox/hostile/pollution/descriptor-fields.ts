import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'plants the fields of descriptors on Object.prototype',
  code: jobIn(`
    for (const name of ['get', 'set', 'value', 'writable', 'configurable', 'enumerable']) Object.prototype[name] = () => 'planted';
    const { value } = await ctx.kv.increment('a');
    console.log({ a: 1 });
    const copy = structuredClone({ a: 'b' });
    return [value, copy.a];`),
  ends: { answers: [1, 'b'] },
} satisfies Attack;
