import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { installPlugins } from './measure/install-plugin.ts';
import { type Running, startHost } from './measure/processes.ts';
import { type Benchmark, figureOf, type Measured, type Series, type Verdict } from './measure/report.ts';
import { percentile } from './measure/statistics.ts';
import { loaderCode, PeerMissing, startWorkerd } from './measure/workerd.ts';

const PLUGIN = 'plugin';
const LOADER = 'workerd, dynamic worker loader';
const EACH_ROUND = 20;
/** First calls are rare: each comes to a machine at rest, and what one leaves to be done is not measured with the next. */
const PAUSE_MS = 25;

export const benchmark: Benchmark = {
  question:
    'How long does the first answer of an installation take whose isolate does not exist yet, with 50 kB of code?',
  run: async ({ rounds, tell }) => {
    const host = await startHost();
    const running: Running[] = [host];
    try {
      const slugs = Array.from({ length: rounds * EACH_ROUND }, (_, at) => `cold-${at}`);
      const folder = writePlugin();
      const addresses = await installPlugins(host, folder, slugs);
      rmSync(folder, { recursive: true });
      const authorization = `Bearer ${host.credentials.caller}`;
      const missing: NonNullable<Measured['missing']> = [];
      let peer: Running | null = null;
      try {
        const code = `${ballast()}\nexport default { fetch: () => new Response(String(ballast.length)) };`;
        peer = await startWorkerd({ code: loaderCode(code), loader: true });
        running.push(peer);
      } catch (error) {
        if (!(error instanceof PeerMissing)) throw error;
        missing.push({ candidate: LOADER, why: error.message });
      }
      const times = { [PLUGIN]: [] as number[][], [LOADER]: [] as number[][] };
      for (let round = 0; round < rounds; round += 1) {
        const numbers = Array.from({ length: EACH_ROUND }, (_, at) => round * EACH_ROUND + at);
        times[PLUGIN]!.push(await inSequence(numbers, (at) => firstAnswerMs(`${addresses[at]}/`, { authorization })));
        if (peer) {
          const { url } = peer;
          times[LOADER]!.push(await inSequence(numbers, (at) => firstAnswerMs(url, { 'x-id': `cold-${at}` })));
        }
        tell(`round ${round + 1}`);
      }
      const series: Series[] = Object.entries(times)
        .filter(([, all]) => all.length > 0)
        .map(([candidate, all]) => ({
          candidate,
          situation: 'new isolate',
          n: all.flat().length,
          figures: {
            p50: figureOf(
              'ms',
              all.map((each) =>
                percentile(
                  each.toSorted((a, b) => a - b),
                  0.5,
                ),
              ),
            ),
            p99: figureOf(
              'ms',
              all.map((each) =>
                percentile(
                  each.toSorted((a, b) => a - b),
                  0.99,
                ),
              ),
            ),
          },
        }));
      const p50Of = (name: string) => series.find(({ candidate }) => candidate === name)!.figures.p50!.median;
      const verdicts: Verdict[] = peer
        ? [
            {
              name: `p50 of the plugin over ${LOADER}`,
              value: p50Of(PLUGIN) / p50Of(LOADER),
              target: 0.5,
              good: 'at most',
            },
          ]
        : [];
      return {
        setup: {
          rounds,
          'first answers per round': EACH_ROUND,
          'bytes of code': ballast().length,
          'ms between them': PAUSE_MS,
          'what the host knows': 'the installation and the code, from when it was installed; there is no isolate',
        },
        series,
        verdicts,
        missing,
      };
    } finally {
      for (const each of running.toReversed()) await each.close();
    }
  },
};

async function inSequence<Result>(numbers: number[], work: (at: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const at of numbers) {
    results.push(await work(at));
    await pause(PAUSE_MS);
  }
  return results;
}

async function firstAnswerMs(url: string, headers: Record<string, string>): Promise<number> {
  const startedAtMs = performance.now();
  const response = await fetch(url, { headers });
  await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return performance.now() - startedAtMs;
}

/** Functions that have to be parsed, as in a bundle of some packages; the same for both. */
function ballast(): string {
  const functions = Array.from(
    { length: 600 },
    (_, at) => `(a,b)=>{let c=a*${at}+b;for(let i=0;i<b;i++)c=(c^(i*${at + 7}))|0;return c>0?'over ${at}':c}`,
  );
  return `const ballast=[${functions.join(',\n')}];`;
}

const MANIFEST = {
  name: 'bench-cold',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme-labs',
  title: 'Cold',
  description: 'Has 50 kB of code that must be read before its first answer.',
  category: 'utilities',
  entry: 'index.ts',
  engine: '^0.1.0',
  routes: [{ method: 'GET', path: '/', access: 'caller' }],
  pricing: { model: 'free' },
};

/** Returns its folder. Written here, for nobody wants to read it. */
function writePlugin(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-bench-cold-'));
  writeFileSync(path.join(folder, 'gatehouse.json'), JSON.stringify(MANIFEST));
  writeFileSync(
    path.join(folder, 'index.ts'),
    `import { definePlugin } from '@gatehouse/plugin-sdk';\n${ballast()}\nexport default definePlugin({ routes: { 'GET /': () => new Response(String(ballast.length)) } });\n`,
  );
  return folder;
}
