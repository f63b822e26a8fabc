import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'never lets the microtask queue run dry',
  code: jobIn(`
    const again = () => Promise.resolve().then(again);
    await again();`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
