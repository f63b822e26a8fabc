import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws whatever it is converted to',
  code: jobIn(`
    const evil = { [Symbol.toPrimitive]() { return {}; } };
    const tries = [() => atob(evil), () => new Event(evil), () => new Headers([[evil, 'x']]), () => new URL(evil), () => new TextEncoder().encode(evil)];
    return tries.map((attempt) => { try { attempt(); return 'done'; } catch (error) { return error.name; } });`),
  ends: { answers: ['TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError'] },
} satisfies Attack;
