import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers with a thenable that resolves, rejects and throws',
  code: jobIn(
    `return { then(resolve, reject) { resolve('first'); reject('second'); resolve('third'); throw new Error('fourth'); } };`,
  ),
  ends: { answers: 'first' },
} satisfies Attack;
