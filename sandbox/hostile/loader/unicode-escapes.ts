import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'spells forbidden names with escapes',
  code: jobIn(String.raw`
    const made = () => { try { return typeof (() => {}).c\u006fnstructor('return 1')(); } catch (error) { return error.name; } };
    return [typeof globalThis['\x65val'], typeof globalThis.W\u0065bAssembly, typeof \u0070rocess, made()];`),
  ends: { answers: ['undefined', 'undefined', 'undefined', 'EvalError'] },
} satisfies Attack;
