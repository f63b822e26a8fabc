import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'gives timers delays that are no delays',
  code: jobIn(`
    let fired = 0;
    for (const delay of [Number.NaN, -1, Infinity * 0, '0', null, [], { valueOf: () => 0 }]) setTimeout(() => { fired += 1; }, delay);
    await new Promise((done) => setTimeout(done, 5));
    return fired;`),
  ends: { answers: 7 },
} satisfies Attack;
