import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'feeds what is no archive to every unpacker',
  code: jobIn(`
    const names = new Set();
    const noise = crypto.getRandomValues(new Uint8Array(4096));
    for (const format of ['gzip', 'deflate', 'deflate-raw']) for (let at = 0; at < 200; at += 1) {
      const head = format === 'gzip' ? [31, 139, 8, at & 31, 0, 0, 0, 0, 0, 3] : format === 'deflate' ? [120, 156] : [];
      const bytes = new Uint8Array([...head, ...noise.subarray(at, at + 64)]);
      try { await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format))).bytes(); names.add('read'); } catch (error) { names.add(error.name); }
    }
    names.delete('read');
    return [...names];`),
  ends: { answers: ['TypeError'] },
  limits: { cpuMs: 1_000 },
} satisfies Attack;
