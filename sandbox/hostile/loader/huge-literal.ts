import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'has half a megabyte of literals',
  code: jobIn('return many.length;', `const many = [${'{n:1},'.repeat(100_000)}];`),
  ends: { answers: 100_000 },
} satisfies Attack;
