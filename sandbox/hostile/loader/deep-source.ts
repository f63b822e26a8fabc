import type { Attack } from '../attack.ts';

export default {
  that: 'nests its source deeper than a parser can go',
  code: `const deep = ${'('.repeat(400_000)}1${')'.repeat(400_000)};`,
  ends: ['plugin-start-failed', 'startup-cpu-limit', 'heap-limit'],
} satisfies Attack;
