import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers a small object that is huge as JSON',
  code: jobIn(`
    let twice = ['x'];
    for (let n = 0; n < 40; n += 1) twice = [twice, twice];
    return twice;`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-answer-invalid', 'output-too-large'],
} satisfies Attack;
