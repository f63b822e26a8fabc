import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'bends instanceof before it throws',
  code: jobIn(`
    Object.defineProperty(Error, Symbol.hasInstance, { value: () => { throw new Error('asked'); } });
    throw new TypeError('bent');`),
  ends: ['plugin-threw'],
  says: /^bent$/,
} satisfies Attack;
