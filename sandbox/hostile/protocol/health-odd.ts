import type { Attack } from '../attack.ts';

export default {
  that: 'reports a health that is no health',
  code: `__gatehouse_define({ health: () => Object.create({ status: 'ok' }) });`,
  asks: { kind: 'health' },
  ends: ['plugin-answer-invalid'],
} satisfies Attack;
