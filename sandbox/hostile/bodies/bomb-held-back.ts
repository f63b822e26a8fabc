import { gzipSync } from 'node:zlib';
import { type Attack, jobIn } from '../attack.ts';

const PACKED = gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString('base64');

export default {
  that: 'unpacks as much of a bomb as it reads, and no more',
  code: jobIn(`
    const packed = Uint8Array.from(atob('${PACKED}'), (unit) => unit.charCodeAt(0));
    const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
    let read = 0;
    for (let at = 0; at < 3; at += 1) read += (await reader.read()).value.length;
    await reader.cancel();
    return read < 2 ** 18;`),
  ends: { answers: true },
  limits: { cpuMs: 1_000, heapMiB: 16 },
} satisfies Attack;
