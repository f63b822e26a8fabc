import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws an error whose list of errors has no length to be had',
  code: jobIn(`
    const errors = new Proxy([], { get(target, key) { if (key === 'length') throw new Error('no length'); return target[key]; } });
    throw Object.assign(new Error('countless'), { errors });`),
  ends: ['plugin-threw'],
  says: /^countless$/,
} satisfies Attack;
