import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws an error whose chain of causes has no end',
  code: jobIn(`
    const link = () => Object.defineProperty(new Error('link'), 'cause', { get: link });
    throw link();`),
  ends: ['plugin-threw'],
  says: /^link$/,
} satisfies Attack;
