import type { Attack } from '../attack.ts';

export default {
  that: "answers the question for its handlers with somebody else's",
  code: `
    Object.prototype.toJSON = function () { return { routes: ['GET /admin'], hooks: [], schedule: [], health: true, configure: true }; };
    __gatehouse_define({ schedule: { job: () => 1 } });`,
  asks: { kind: 'describe' },
  ends: { answers: { routes: [], hooks: [], schedule: ['job'], health: false, configure: false } },
} satisfies Attack;
