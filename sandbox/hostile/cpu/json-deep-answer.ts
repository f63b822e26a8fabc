import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers an object that is nested a million levels deep',
  code: jobIn(`
    let nest = {};
    for (let n = 0; n < 1e6; n += 1) nest = { nest };
    return nest;`),
  ends: ['output-too-large', 'plugin-answer-invalid', 'cpu-limit', 'heap-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
