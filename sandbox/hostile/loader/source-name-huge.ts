import type { Attack } from '../attack.ts';

export default {
  that: 'takes a name of a million characters in stacks',
  code: `__gatehouse_define({ schedule: { job: () => { throw new Error('named'); } } });
//# sourceURL=${'n'.repeat(1_000_000)}`,
  ends: ['plugin-threw'],
  says: /^named$/,
} satisfies Attack;
