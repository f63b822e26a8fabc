import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sends more requests than it may, at once',
  code: jobIn(
    `await Promise.all(Array.from({ length: 1_000 }, () => fetch('https://api.example.com/').catch(() => null)));`,
  ),
  ends: ['host-call-limit'],
} satisfies Attack;
