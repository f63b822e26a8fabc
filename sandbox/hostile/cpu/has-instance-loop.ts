import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'spins when the runtime asks what its value is',
  code: jobIn(`
    Object.defineProperty(Error, Symbol.hasInstance, { value: () => { for (;;); } });
    console.log({ a: 1 });`),
  ends: ['cpu-limit'],
} satisfies Attack;
