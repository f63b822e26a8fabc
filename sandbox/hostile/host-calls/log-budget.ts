import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'logs more than it may',
  code: jobIn(`
    console.log('a'.repeat(500));
    console.log('b'.repeat(5_000_000));
    for (let n = 0; n < 100; n += 1) console.log('c');
    return 'done';`),
  ends: { answers: 'done' },
  limits: { logBytes: 1_000 },
  logs: [/^a+$/, /dropped/],
} satisfies Attack;
