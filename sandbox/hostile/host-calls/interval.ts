import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'lets an interval run past its number of timers',
  code: jobIn(`
    setInterval(() => {}, 0);
    await new Promise(() => {});`),
  ends: ['host-call-limit'],
  limits: { timers: 10, cpuMs: 1_000 },
} satisfies Attack;
