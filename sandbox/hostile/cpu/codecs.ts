import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'encodes and decodes megabytes without end',
  code: jobIn(`for (;;) new TextDecoder().decode(new TextEncoder().encode(atob(btoa('x'.repeat(1e6)))));`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
