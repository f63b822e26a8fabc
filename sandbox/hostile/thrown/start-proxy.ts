import type { Attack } from '../attack.ts';

export default {
  that: 'throws a proxy in its top-level code',
  code: `throw new Proxy({}, new Proxy({}, { get: () => () => { throw 1; } }));`,
  ends: ['plugin-start-failed'],
} satisfies Attack;
