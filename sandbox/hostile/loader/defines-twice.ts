import type { Attack } from '../attack.ts';

export default {
  that: 'defines itself twice',
  code: `
    const define = __gatehouse_define;
    define({ schedule: { job: () => 1 } });
    define({ schedule: { job: () => 2 } });`,
  ends: ['plugin-start-failed'],
} satisfies Attack;
