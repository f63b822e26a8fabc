import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'takes the buffers of byte streams away from under them',
  code: jobIn(`
    const names = [];
    const note = async (run) => { try { await run(); names.push('ok'); } catch (error) { names.push(error.name); } };
    const given = new Uint8Array(8);
    await note(() => new ReadableStream({ type: 'bytes', start(c) { c.enqueue(given); c.enqueue(given); } }));
    await note(async () => { let request; const reader = new ReadableStream({ type: 'bytes', pull(c) { request = c.byobRequest; request.view.buffer.transfer(); request.respond(1); } }).getReader({ mode: 'byob' }); await reader.read(new Uint8Array(4)); });
    await note(async () => { let request; const reader = new ReadableStream({ type: 'bytes', pull(c) { request = c.byobRequest; request.respond(5); } }).getReader({ mode: 'byob' }); await reader.read(new Uint8Array(4)); });
    await note(async () => { let request; const reader = new ReadableStream({ type: 'bytes', pull(c) { request = c.byobRequest; request.respond(1); request.respond(1); } }).getReader({ mode: 'byob' }); await reader.read(new Uint8Array(4)); });
    await note(async () => { const reader = new ReadableStream({ type: 'bytes', pull(c) { c.byobRequest.respondWithNewView(new Uint8Array(99)); } }).getReader({ mode: 'byob' }); await reader.read(new Uint8Array(4)); });
    const view = new Uint8Array(4);
    await note(async () => { const reader = new ReadableStream({ type: 'bytes', pull(c) { c.enqueue(new Uint8Array([1])); } }).getReader({ mode: 'byob' }); await reader.read(view); view[0] = 7; });
    return [names, view.length];`),
  ends: { answers: [['TypeError', 'TypeError', 'RangeError', 'ok', 'RangeError', 'ok'], 0] },
} satisfies Attack;
