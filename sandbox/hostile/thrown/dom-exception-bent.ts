import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'throws a DOMException whose fields throw',
  code: jobIn(`
    for (const name of ['name', 'message', 'code']) Object.defineProperty(DOMException.prototype, name, { get() { throw new Error('planted'); } });
    throw new DOMException('said', 'AbortError');`),
  ends: ['plugin-threw'],
} satisfies Attack;
