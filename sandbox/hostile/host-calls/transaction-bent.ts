import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'passes transactions that are too long, lie about their length, or change while they are read',
  code: jobIn(`
    const codes = [];
    const attempt = async (operations) => codes.push(await ctx.kv.transaction(operations).then(() => 'done', (error) => error.code));
    await attempt(Array(21).fill({ increment: 'n' }));
    await attempt({ length: 1, 0: { increment: 'n' } });
    await attempt(new Proxy([], { get: (_, name) => (name === 'length' ? 1e9 : { increment: 'n' }) }));
    await attempt([{ set: 'big', value: 'x'.repeat(300_000) }]);
    await attempt([{ toString: () => 'increment' }]);
    await attempt([{ increment: 'n', by: 2 ** 60 }]);
    await attempt([]);
    let reads = 0;
    await attempt([{ get increment() { reads += 1; return reads === 1 ? 'n' : 'm'.repeat(1e6); } }]);
    const many = await ctx.kv.getMany(Array(1e6).fill('k')).catch((error) => error.code);
    return [...codes, reads, many, (await ctx.kv.get('n')).value, await ctx.kv.get('big')];`),
  ends: {
    answers: [
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'kv-value-too-large',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'done',
      1,
      'capability-arguments-invalid',
      1,
      null,
    ],
  },
} satisfies Attack;
