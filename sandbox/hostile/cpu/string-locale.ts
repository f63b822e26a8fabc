import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sorts by locale, text by text',
  code: jobIn(`
    const texts = Array.from({ length: 20_000 }, (_, n) => 'ä'.repeat(200) + ((n * 7919) % 20_000));
    for (;;) texts.slice().sort((a, b) => a.localeCompare(b));`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
