import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'stores keys named __proto__ and constructor, and reads them back',
  code: jobIn(`
    await ctx.kv.set('k', JSON.parse('{"__proto__":{"stolen":1},"constructor":{"prototype":{"stolen":1}}}'));
    const { value } = await ctx.kv.get('k');
    const copy = structuredClone(value);
    return ['stolen' in {}, Object.hasOwn(value, '__proto__'), typeof copy.stolen];`),
  ends: { answers: [false, true, 'undefined'] },
} satisfies Attack;
