import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps segmenters and their iterators',
  code: jobIn(`
    const kept = [];
    for (;;) { const segments = new Intl.Segmenter('th', { granularity: 'word' }).segment('กขค'); const iterator = segments[Symbol.iterator](); iterator.next(); kept.push(segments, iterator); }`),
  ends: ['heap-limit', 'cpu-limit', 'plugin-threw'],
  limits: { cpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
