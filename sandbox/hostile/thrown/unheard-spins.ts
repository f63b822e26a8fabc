import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'leaves a rejection unheard whose message takes for ever to read',
  code: jobIn(`
    Promise.reject(Object.defineProperty(new Error('x'), 'message', { get() { for (;;); } }));
    Promise.reject(Object.defineProperty(new Error('x'), 'stack', { get() { for (;;); } }));
    return 'still here';`),
  ends: ['cpu-limit'],
} satisfies Attack;
