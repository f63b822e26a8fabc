import { DEFAULT_LIMITS, inputText, sha256Hex } from '../plugins-sdk/contract/index.ts';
import { buildGuest } from '../plugins-sdk/guest/build-guest.ts';
import { createSandbox } from '../sandbox/index.ts';
import { type Benchmark, figureOf, type Series } from './measure/report.ts';

const TARGET_MIB = 2;

/** What a plugin's one job does, by what it shows. Everything but the first makes parts of the runtime that are made on first use. */
const PLUGINS: Record<string, string> = {
  'a trivial plugin': 'return 1',
  'one that parses a URL': `return new URL('https://a.example/b?c').pathname`,
  'one that parses a URL with an international host': `return new URL('https://bücher.example/').host`,
  'one that reads a stream': `const chunks = []; for await (const chunk of ReadableStream.from([1, 2])) chunks.push(chunk); return chunks.length`,
  'one that sends a form with a file': `const form = new FormData(); form.append('a', new Blob(['b'])); return (await new Response(form).text()).length`,
  'one that compresses': `return (await new Response(new Blob(['a']).stream().pipeThrough(new CompressionStream('gzip'))).bytes()).length`,
};

export const benchmark: Benchmark = {
  question: 'How much memory does the runtime of a plugin take in each isolate?',
  run: async ({ rounds, tell }) => {
    const codes = new Map<string, string>();
    const guest = await buildGuest();
    const sandbox = await createSandbox(
      { cordons: 1, lanesPerCordon: 1, queuePerLane: 8, isolatesPerLane: 2, spare: false },
      { guest, loadBundle: async (digest) => codes.get(digest)! },
    );
    const measure = async (code: string, installationId: string) => {
      const digest = sha256Hex(code);
      codes.set(digest, code);
      const invocation = {
        invocationId: installationId,
        installationId,
        digest,
        input: inputText({ kind: 'schedule', name: 'job', dueAt: '2026-01-01T00:00:00Z' }, '{"grants":[]}'),
        seed: '00'.repeat(32),
        startedAtMs: 0,
        limits: { ...DEFAULT_LIMITS, cpuMs: 1_000 },
      };
      const outcome = await sandbox.invoke(invocation, {
        hostCall: async () => ({ ok: true, json: 'null' }),
        log: () => {},
      });
      if (outcome.status !== 'completed') throw new Error(`${installationId}: ${JSON.stringify(outcome)}`);
      return outcome.usage;
    };
    try {
      const series: Series[] = [];
      for (const [candidate, body] of Object.entries(PLUGINS)) {
        const code = `__gatehouse_define({ schedule: { job: async () => { ${body} } } });`;
        const usages = [];
        for (let round = 1; round <= rounds; round += 1) usages.push(await measure(code, `${codes.size}-${round}`));
        // Buffers outside of the heap included.
        const memory = figureOf(
          'MiB',
          usages.map((usage) => usage.heapMiB),
        );
        const external = figureOf(
          'MiB',
          usages.map((usage) => usage.externalMiB),
        );
        series.push({ candidate, situation: 'after its first invocation', n: rounds, figures: { memory, external } });
        tell(`${candidate}: ${memory.median.toFixed(2)} MiB`);
      }
      const value = series[0]!.figures.memory!.median;
      return {
        setup: { rounds, 'bytes of the runtime': Buffer.byteLength(guest) },
        series,
        verdicts: [{ name: 'MiB of a trivial plugin', value, target: TARGET_MIB, good: 'at most' }],
      };
    } finally {
      await sandbox.close(1_000);
    }
  },
};
