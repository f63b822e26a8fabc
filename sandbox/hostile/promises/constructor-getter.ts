import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'bends the constructor that await looks up',
  code: jobIn(`
    Object.defineProperty(Promise.prototype, 'constructor', { get() { throw new Error('bent'); } });
    return 'x';`),
  ends: ['plugin-threw', 'plugin-never-answered'],
} satisfies Attack;
