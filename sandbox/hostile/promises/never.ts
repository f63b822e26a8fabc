import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'waits for a promise that nobody settles',
  code: jobIn(`await new Promise(() => {});`),
  ends: ['plugin-never-answered'],
} satisfies Attack;
