import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers with a chain of thenables that has no end',
  code: jobIn(`
    const link = () => ({ then(resolve) { resolve(link()); } });
    return link();`),
  ends: ['cpu-limit', 'heap-limit'],
} satisfies Attack;
