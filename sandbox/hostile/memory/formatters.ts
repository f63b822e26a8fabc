import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'keeps formatters, whose tables lie outside of the V8 heap',
  code: jobIn(`
    const kept = [];
    for (;;) kept.push(new Intl.DateTimeFormat('ja-JP-u-ca-japanese', { dateStyle: 'full', timeStyle: 'full' }), new Intl.NumberFormat('hi', { style: 'unit', unit: 'liter' }), new Intl.Collator('de-u-co-phonebk'));`),
  ends: ['heap-limit', 'cpu-limit', 'plugin-threw'],
  limits: { cpuMs: 1_000, heapMiB: 8 },
} satisfies Attack;
