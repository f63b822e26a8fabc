import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'leaves a rejection unheard, so that its turn throws, and microtasks that never run dry',
  code: jobIn(`
    const again = () => { Promise.reject(new Error('unheard')); return Promise.resolve().then(again); };
    again();
    return 'an answer';`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
