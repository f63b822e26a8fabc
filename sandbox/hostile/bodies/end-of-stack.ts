import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'asks for parts of the runtime at the end of its stack',
  code: jobIn(`
    const deep = () => { try { deep(); } catch { try { CompressionStream; FormData; ReadableStream; } catch {} } };
    deep();
    const packed = ReadableStream.from([new Uint8Array([1, 2, 3])]).pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'));
    const form = new FormData();
    form.append('a', 'b');
    return [[...(await new Response(packed).bytes())], form.get('a')];`),
  ends: { answers: [[1, 2, 3], 'b'] },
  limits: { cpuMs: 1_000 },
} satisfies Attack;
