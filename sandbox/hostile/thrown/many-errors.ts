import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws an aggregate of a million errors',
  code: jobIn(`
    const errors = [];
    for (let n = 0; n < 100_000; n += 1) errors[n] = { message: 'm'.repeat(50), name: 'n' };
    throw new AggregateError(errors, 'all at once');`),
  ends: ['plugin-threw', 'cpu-limit', 'heap-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
