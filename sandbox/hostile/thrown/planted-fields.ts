import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws a string and has the rest of the fault planted on Object.prototype',
  code: jobIn(`
    Object.prototype.name = () => 'forged';
    Object.prototype.stack = 's'.repeat(4_000_000);
    Object.prototype.limit = 'cpuMs';
    Object.prototype.allowed = { toJSON: () => 1e9 };
    throw 'just text';`),
  ends: ['plugin-threw'],
  says: /^just text$/,
} satisfies Attack;
