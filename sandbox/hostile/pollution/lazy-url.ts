import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'bends the built-ins before it uses URL for the first time',
  code: jobIn(`
    Array.prototype.push = () => { throw new Error('planted'); };
    Object.defineProperty(Object.prototype, 'get', { value: () => 'planted', configurable: true });
    globalThis.Symbol = undefined;
    try { new URL('https://example.org/?a=1').searchParams.get('a'); } catch {}
    return 'ended';`),
  ends: { answers: 'ended' },
} satisfies Attack;
