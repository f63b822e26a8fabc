import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'plants setters at the indices of arrays and objects',
  code: jobIn(`
    const seen = [];
    for (const owner of [Array.prototype, Object.prototype]) for (const name of ['0', '1', 'value', 'done', 'get', 'set'])
      Object.defineProperty(owner, name, { __proto__: null, configurable: true, set(value) { seen.push(name); }, get() { return undefined; } });
    let text;
    try { text = await new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([104, 105])); c.close(); } })).text(); }
    finally { for (const owner of [Array.prototype, Object.prototype]) for (const name of ['0', '1', 'value', 'done', 'get', 'set']) delete owner[name]; }
    return text;`),
  ends: { answers: 'hi' },
} satisfies Attack;
