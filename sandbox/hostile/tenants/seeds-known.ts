import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'tries to tell its seed from its random numbers',
  code: jobIn(`
    const numbers = Array.from({ length: 64 }, () => Math.random());
    const bytes = crypto.getRandomValues(new Uint8Array(64));
    return [numbers.some((n, at) => numbers.indexOf(n) !== at), [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('').includes('c0ffee42')];`),
  ends: { answers: [false, false] },
} satisfies Attack;
