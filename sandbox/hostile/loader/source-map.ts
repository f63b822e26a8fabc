import type { Attack } from '../attack.ts';

export default {
  that: 'names a source map in another place',
  code: `
    __gatehouse_define({ schedule: { job: () => 'fine' } });
    //# sourceMappingURL=file:///etc/passwd
    //# sourceMappingURL=http://169.254.169.254/latest`,
  ends: { answers: 'fine' },
} satisfies Attack;
