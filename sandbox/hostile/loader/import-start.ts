import type { Attack } from '../attack.ts';

export default {
  that: 'imports in its top-level code',
  code: `
    let result = 'waiting';
    import('node:child_process').then(() => { result = 'imported'; }, () => { result = 'refused'; });
    __gatehouse_define({ schedule: { job: () => result } });`,
  ends: { answers: 'refused' },
} satisfies Attack;
