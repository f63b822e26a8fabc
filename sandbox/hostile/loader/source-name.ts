import type { Attack } from '../attack.ts';

export default {
  that: 'takes the name of the runtime in stacks',
  code: `
    __gatehouse_define({ schedule: { job: () => { throw new Error('named'); } } });
    //# sourceURL=gatehouse:gues`,
  ends: ['plugin-threw'],
  says: /^named$/,
} satisfies Attack;
