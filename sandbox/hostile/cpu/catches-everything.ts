import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'catches everything, its own end included',
  code: jobIn(`for (;;) { try { for (;;); } catch { continue; } finally { for (;;); } }`),
  ends: ['cpu-limit'],
} satisfies Attack;
