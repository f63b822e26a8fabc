import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'starts timers without end',
  code: jobIn(`
    for (let n = 0; n < 200; n += 1) setTimeout(() => {}, 1);
    return 'all of them';`),
  ends: ['host-call-limit'],
  says: /timer number/,
} satisfies Attack;
