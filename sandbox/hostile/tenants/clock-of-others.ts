import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'measures its neighbours with a timer',
  code: jobIn(`
    const seen = new Set();
    for (let n = 0; n < 1e5; n += 1) { seen.add(Date.now()); seen.add(performance.now() + Date.now()); }
    return seen.size;`),
  ends: { answers: 1 },
} satisfies Attack;
