import type { Attack } from '../attack.ts';

export default {
  that: 'has a static import',
  code: `
    import fs from 'node:fs';
    __gatehouse_define({ schedule: { job: () => typeof fs } });`,
  ends: ['plugin-start-failed'],
} satisfies Attack;
