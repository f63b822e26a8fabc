import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'plants a then on everything and reads its bodies',
  code: jobIn(`
    const stolen = [];
    Object.defineProperty(Object.prototype, 'then', { configurable: true, get() { stolen.push(String(this)); return undefined; } });
    const text = await new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('kept')); c.close(); } })).text();
    delete Object.prototype.then;
    return [text, stolen.length];`),
  ends: { answers: ['kept', 0] },
} satisfies Attack;
