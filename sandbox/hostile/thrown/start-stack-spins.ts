import type { Attack } from '../attack.ts';

export default {
  that: 'throws in its top-level code, and takes for ever to format the stack',
  code: `
    Error.prepareStackTrace = () => { for (;;); };
    throw new Error('x');`,
  ends: ['startup-cpu-limit'],
} satisfies Attack;
