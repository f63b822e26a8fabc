import type { Attack } from '../attack.ts';

export default {
  that: 'closes a wrapper that it supposes around its code',
  code: `} catch {} finally { for (;;); } }); (() => {`,
  ends: ['plugin-start-failed'],
} satisfies Attack;
