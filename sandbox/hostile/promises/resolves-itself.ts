import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'resolves a promise with itself',
  code: jobIn(`
    const { promise, resolve } = Promise.withResolvers();
    resolve(promise);
    return promise;`),
  ends: ['plugin-threw'],
  says: /cycle/i,
} satisfies Attack;
