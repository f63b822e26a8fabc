import type { Attack } from '../attack.ts';

export default {
  that: 'hides code behind the comments of HTML',
  code: `
    let seen = 'seen';
    <!-- seen = 'hidden';
    --> seen = 'hidden';
    __gatehouse_define({ schedule: { job: () => seen } });`,
  ends: { answers: 'seen' },
} satisfies Attack;
