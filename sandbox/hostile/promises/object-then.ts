import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'plants then on Object.prototype, so that every answer of the host is a thenable',
  code: jobIn(`
    Object.prototype.then = function (resolve) { resolve('mine'); };
    const entry = await ctx.kv.list();
    delete Object.prototype.then;
    return entry;`),
  ends: { answers: 'mine' },
} satisfies Attack;
