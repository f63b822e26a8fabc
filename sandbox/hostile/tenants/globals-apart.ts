import { type Attack, jobsIn } from '../attack.ts';

export default {
  that: 'leaves something in its globals for another installation of the same bundle',
  code: jobsIn({
    job: `
    globalThis.secret = 1; Symbol.for('secret').description; Object.prototype.secret = 1; Intl.secret = 1; ctx.kv.get.secret = 1; console.secret = 1;
    return 'left';`,
    look: `return [typeof globalThis.secret, typeof Intl.secret, typeof console.secret];`,
  }),
  ends: { answers: 'left' },
  later: [
    {
      by: 'bystander',
      asks: { kind: 'schedule', name: 'look' },
      ends: { answers: ['undefined', 'undefined', 'undefined'] },
    },
  ],
} satisfies Attack;
