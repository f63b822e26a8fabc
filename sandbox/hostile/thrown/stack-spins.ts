import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws an error whose stack takes for ever to format',
  code: jobIn(`
    Error.prepareStackTrace = () => { for (;;); };
    throw new Error('x');`),
  ends: ['cpu-limit'],
} satisfies Attack;
