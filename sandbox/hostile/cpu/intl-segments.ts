import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'segments megabytes of text',
  code: jobIn(
    `for (;;) for (const _ of new Intl.Segmenter('th', { granularity: 'word' }).segment('กขค'.repeat(1e6)));`,
  ),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
