import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'stops for a debugger',
  code: jobIn(`
    debugger;
    return 'went on';`),
  ends: { answers: 'went on' },
} satisfies Attack;
