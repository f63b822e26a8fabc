import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'leaves a promise to reject unheard',
  code: jobIn(`
    Promise.reject(new Error('nobody hears me'));
    return 'still here';`),
  ends: { answers: 'still here' },
} satisfies Attack;
