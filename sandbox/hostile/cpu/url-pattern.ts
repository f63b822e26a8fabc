import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'matches a path against a pattern that backtracks for ever',
  code: jobIn(`
    const pattern = new URLPattern({ pathname: '/:id((?:a+)+b)' });
    for (;;) pattern.test('https://example.org/' + 'a'.repeat(40));`),
  ends: ['cpu-limit'],
} satisfies Attack;
