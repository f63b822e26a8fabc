import { type Attack, jobsIn } from '../attack.ts';

export default {
  that: 'bends its own world for its next invocation, and for nobody else',
  code: jobsIn({
    job: `
    globalThis.stolen = 1; Object.prototype.mark = 1; Array.prototype.map = 1;
    return 'bent';`,
    look: `return [typeof globalThis.stolen, 'mark' in {}, typeof [].map];`,
  }),
  ends: { answers: 'bent' },
  later: [
    { by: 'bystander', asks: { kind: 'schedule', name: 'look' }, ends: { answers: ['undefined', false, 'function'] } },
    { by: 'attacker', asks: { kind: 'schedule', name: 'look' }, ends: { answers: ['number', true, 'number'] } },
  ],
} satisfies Attack;
