import type { Attack } from '../attack.ts';

export default {
  that: 'floods the microtask queue in its top-level code',
  code: `
    const again = () => Promise.resolve().then(again);
    again();`,
  ends: ['startup-cpu-limit', 'heap-limit'],
} satisfies Attack;
