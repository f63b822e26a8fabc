import type { Attack } from '../attack.ts';

export default {
  that: 'defines itself with a proxy that has every handler',
  code: `__gatehouse_define(new Proxy({}, { get: () => new Proxy({}, { get: () => () => 'any', ownKeys: () => [], has: () => true }) }));`,
  ends: ['handler-missing', 'startup-cpu-limit', 'plugin-start-failed'],
} satisfies Attack;
