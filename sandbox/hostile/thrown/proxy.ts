import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws a proxy that throws whenever it is looked at',
  code: jobIn(`
    const trap = () => { throw evil; };
    const evil = new Proxy({}, new Proxy({}, { get: () => trap }));
    throw evil;`),
  ends: ['plugin-threw'],
} satisfies Attack;
