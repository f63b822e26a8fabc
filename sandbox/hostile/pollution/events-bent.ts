import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'bends events and signals before the runtime uses them',
  code: jobIn(`
    Object.defineProperty(Event.prototype, 'type', { get() { throw new Error('planted'); } });
    EventTarget.prototype.addEventListener = () => { throw new Error('planted'); };
    Array.prototype.push = () => { throw new Error('planted'); };
    Array.prototype[Symbol.iterator] = () => { throw new Error('planted'); };
    const controller = new AbortController();
    const seen = [];
    AbortSignal.any = null;
    try { controller.signal.onabort = () => { seen[seen.length] = 'abort'; }; controller.abort(); } catch (error) { seen[seen.length] = error.message; }
    await new Promise((done) => setTimeout(done, 1));
    return [controller.signal.aborted, new URL('/a?b=1', 'https://h.example').searchParams.get('b'), new TextDecoder('latin1').decode(new Uint8Array([233]))];`),
  ends: ['plugin-threw'],
} satisfies Attack;
