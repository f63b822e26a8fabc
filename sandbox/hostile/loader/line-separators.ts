import type { Attack } from '../attack.ts';

export default {
  that: 'ends its lines with U+2028',
  code: [
    'let seen = "before"; // comment',
    'seen = "after";',
    '__gatehouse_define({ schedule: { job: () => seen } });',
  ].join('\u2028'),
  ends: { answers: 'after' },
} satisfies Attack;
