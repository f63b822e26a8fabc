import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'reads the keys of others by prefixes, paths and controls',
  code: jobIn(String.raw`
    const list = await ctx.kv.list({ prefix: '' });
    const codes = [list.entries.length, await ctx.kv.get('n\u0000').catch((error) => error.code)];
    for (const key of ['../north', 'north:count']) codes.push(await ctx.kv.get(key));
    const page = await ctx.kv.list({ cursor: 'Li4vLi4v', limit: 1_000 });
    return [...codes, page.entries.length];`),
  ends: { answers: [0, 'capability-arguments-invalid', null, null, 0] },
} satisfies Attack;
