import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers an object that grows while it is written',
  code: jobIn(`
    const grow = () => ({ toJSON: () => ({ next: grow() }) });
    return grow();`),
  ends: ['cpu-limit', 'heap-limit', 'plugin-answer-invalid', 'output-too-large'],
} satisfies Attack;
