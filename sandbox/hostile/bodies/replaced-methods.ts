import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'replaces what streams and bodies could rely on',
  code: jobIn(`
    const bomb = () => { throw new Error('sabotage'); };
    const original = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([104, 105])); c.close(); } });
    for (const [owner, names] of [[Promise.prototype, ['then', 'catch', 'finally']], [Promise, ['resolve', 'reject', 'all']], [Array.prototype, ['push', 'shift', 'slice', 'concat']],
      [Object.getPrototypeOf(Uint8Array.prototype), ['set', 'subarray', 'slice', 'fill']], [ArrayBuffer.prototype, ['slice', 'transfer']], [ReadableStream.prototype, ['getReader', 'pipeTo', 'tee', 'cancel']],
      [ReadableStreamDefaultReader.prototype, ['read', 'releaseLock', 'cancel']], [TextDecoder.prototype, ['decode']], [TextEncoder.prototype, ['encode']], [Blob.prototype, ['arrayBuffer', 'text']]])
      for (const name of names) owner[name] = bomb;
    return [await new Response(original).text(), await new Response(new Blob(['b'])).text(), [...(await new Response('c').bytes())]];`),
  ends: { answers: ['hi', 'b', [99]] },
} satisfies Attack;
