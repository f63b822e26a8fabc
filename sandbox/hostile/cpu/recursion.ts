import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'recurses through getters, proxies and conversions',
  code: jobIn(`
    const loop = new Proxy(function () {}, { get: (_, key) => loop[key], apply: () => loop(), has: (_, key) => key in loop });
    for (;;) { try { loop.x; } catch {} try { loop(); } catch {} try { 'x' in loop; } catch {} }`),
  ends: ['cpu-limit', 'plugin-threw', 'heap-limit'],
} satisfies Attack;
