import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'calls capabilities that nobody granted',
  code: jobIn(`
    const codes = [await ctx.kv.get('a').catch((error) => error.code)];
    try { ctx.log.info('x'); } catch (error) { codes.push(error.code); }
    return [...codes, ctx.config === undefined ? null : ctx.config?.secret ?? null];`),
  ends: { answers: ['capability-denied', 'capability-denied', null] },
  ungranted: true,
} satisfies Attack;
