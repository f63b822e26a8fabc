import { type Attack, attackIn } from './attack.ts';

export default {
  that: 'takes memory outside of the V8 heap',
  code: attackIn('const kept = []; for (;;) kept.push(new Uint8Array(2 ** 20).fill(1));'),
  // The engine may refuse the allocation (a RangeError, so the plugin threw) before the isolate is over its limit.
  ends: ['heap-limit', 'plugin-threw'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
