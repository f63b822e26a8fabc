import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws from the very end of the stack',
  code: jobIn(`
    const fall = () => fall() + 1;
    fall();`),
  ends: ['plugin-threw'],
  says: /call stack/,
} satisfies Attack;
