import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'finds resizable and shared memory through side doors',
  code: jobIn(`
    const found = [];
    const buffers = [new ArrayBuffer(8, { maxByteLength: 64 }), Reflect.construct(ArrayBuffer, [8, { maxByteLength: 64 }]),
      new (class extends ArrayBuffer {})(8, { maxByteLength: 64 }), new Uint8Array(8).buffer, new ArrayBuffer(8).slice(0, 4),
      new ArrayBuffer(8).transfer(16), structuredClone(new ArrayBuffer(8)), await new Response('x').arrayBuffer(),
      new (new Uint8Array(1).buffer.constructor)(8, { maxByteLength: 64 })];
    for (const [at, buffer] of buffers.entries()) {
      for (const name of ['resize', 'resizable', 'maxByteLength', 'grow']) if (name in buffer) found.push(at + '.' + name);
      if (Object.prototype.toString.call(buffer) !== '[object ArrayBuffer]') found.push(at + ' is shared');
    }
    for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry']) if (name in globalThis) found.push(name);
    return found;`),
  ends: { answers: [] },
} satisfies Attack;
