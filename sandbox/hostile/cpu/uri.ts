import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'encodes and decodes a URI without end',
  code: jobIn(`
    let text = '💩'.repeat(1e5);
    for (;;) text = decodeURIComponent(encodeURIComponent(text));`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-threw'],
} satisfies Attack;
