import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws in a timer, where nobody can catch it',
  code: jobIn(`
    setTimeout(() => { throw new Error('late'); }, 1);
    await new Promise((done) => setTimeout(done, 1_000));
    return 'too late';`),
  ends: ['plugin-threw'],
  says: /^late$/,
} satisfies Attack;
