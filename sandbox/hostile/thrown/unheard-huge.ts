import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'leaves a rejection unheard that is hundreds of megabytes long',
  code: jobIn(`
    Promise.reject('x'.repeat(2 ** 28));
    return 'still here';`),
  ends: ['heap-limit', 'cpu-limit'],
} satisfies Attack;
