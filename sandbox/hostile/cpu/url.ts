import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'parses a URL of a million parameters',
  code: jobIn(`for (;;) new URL('https://example.org/?' + 'a=%F0%9F%92%A9&'.repeat(1e6)).searchParams.sort();`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
