import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps compiled regular expressions',
  code: jobIn(`
    const kept = [];
    for (let n = 0; ; n += 1) { const one = new RegExp('[a-z]{1,200}(?<g' + n + '>x|y' + n + '){0,50}', 'v'); one.test('abc' + n); one.test('abc' + n); kept.push(one); }`),
  ends: ['heap-limit', 'cpu-limit', 'plugin-threw'],
  limits: { cpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
