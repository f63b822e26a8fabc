import type { Attack } from '../attack.ts';

export default {
  that: 'has handlers whose names are megabytes long',
  code: `
    const hooks = {};
    for (let n = 0; n < 20; n += 1) hooks[String(n) + 'x'.repeat(500_000)] = () => {};
    __gatehouse_define({ schedule: hooks });`,
  ends: ['handler-missing'],
} satisfies Attack;
