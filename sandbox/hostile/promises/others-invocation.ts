import { type Attack, jobsIn } from '../attack.ts';

export default {
  that: 'answers one invocation from a turn of another',
  code: jobsIn({
    job: `return new Promise((resolve) => { globalThis.settle = resolve; });`,
    settle: `
    globalThis.settle('from elsewhere');
    return 'settled';`,
  }),
  ends: ['plugin-never-answered'],
  later: [{ by: 'attacker', asks: { kind: 'schedule', name: 'settle' }, ends: { answers: 'settled' } }],
} satisfies Attack;
