import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'passes keys that are no strings',
  code: jobIn(`
    const keys = [{ toString: () => 'a' }, ['a'], new String('a'), Symbol('a')];
    const codes = [];
    for (const key of keys) codes.push(await ctx.kv.get(key).catch((error) => error.code));
    return codes;`),
  ends: {
    answers: [
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
    ],
  },
} satisfies Attack;
