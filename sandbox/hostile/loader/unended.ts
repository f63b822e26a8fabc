import type { Attack } from '../attack.ts';

export default {
  that: 'ends in the middle of a comment',
  code: `__gatehouse_define({ schedule: { job: () => 'whole' } }); //`,
  ends: { answers: 'whole' },
} satisfies Attack;
