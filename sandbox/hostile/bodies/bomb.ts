import { gzipSync } from 'node:zlib';
import { type Attack, jobIn } from '../attack.ts';

const PACKED = gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString('base64');

export default {
  that: 'unpacks 64 MiB from 64 KiB into memory',
  code: jobIn(`
    const packed = Uint8Array.from(atob('${PACKED}'), (unit) => unit.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    return (await new Response(unpacked).bytes()).length;`),
  ends: ['heap-limit', 'plugin-threw', 'cpu-limit'],
  limits: { cpuMs: 1_000 },
} satisfies Attack;
