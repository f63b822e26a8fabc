import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { startEmbeddedPostgres } from '../host/embedded-postgres.ts';
import { type ProcessSize, sizesBelow } from './measure/process-memory.ts';
import { end, withSettings } from './measure/processes.ts';
import { type Benchmark, figureOf, type Series } from './measure/report.ts';

const root = path.resolve(import.meta.dirname, '..');
const TARGET_MS = 1_500;
const TARGET_MIB = 200;
/** Between ready and the look at its memory: what was needed to start is gone. */
const IDLE_MS = 4_000;
const NAMES = {
  host: 'host',
  cordon: 'cordons, the spare included',
  other: 'what else the host started',
  launcher: 'launcher (npm run, not counted)',
};
const KINDS = ['host', 'cordon', 'other', 'launcher'] as const;

export const benchmark: Benchmark = {
  question: 'How long does `gatehouse serve` take until it is ready, and what does it hold when nobody calls?',
  run: async ({ rounds, tell }) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-bench-start-'));
    const postgres = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres') });
    const settings = {
      DATABASE_URL: postgres.appUrl,
      DATABASE_OWNER_URL: postgres.ownerUrl,
      GATEHOUSE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      GATEHOUSE_PASSWORD_PEPPER: randomBytes(32).toString('base64'),
      GATEHOUSE_DATA: folder,
      GATEHOUSE_PORT: '0',
    };
    const gatehouse = (...args: string[]) =>
      spawn('env', withSettings(settings, ['bin/launch.mjs', 'gatehouse', ...args]), {
        cwd: root,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    try {
      const migrating = gatehouse('migrate', 'up');
      migrating.stderr.resume();
      const [code] = (await once(migrating, 'exit')) as [number | null];
      if (code !== 0) throw new Error(`gatehouse migrate up ended with ${code}`);
      const readyMs: number[] = [];
      const sizes: ProcessSize[][] = [];
      for (let round = 1; round <= rounds; round += 1) {
        const startedAtMs = performance.now();
        const host = gatehouse('serve');
        try {
          await whenReady(host);
          readyMs.push(performance.now() - startedAtMs);
          await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
          sizes.push(sizesBelow(host.pid!));
        } finally {
          await end(host);
        }
        tell(`round ${round}: ready after ${readyMs.at(-1)!.toFixed(0)} ms, ${showSizes(sizes.at(-1)!)}`);
      }
      const held = sizes.map((all) => sumOf(all));
      const series: Series[] = [
        { candidate: 'gatehouse serve', situation: 'ready', n: rounds, figures: { ready: figureOf('ms', readyMs) } },
        ...KINDS.map(
          (kind): Series => ({
            candidate: NAMES[kind],
            situation: 'idle',
            n: sizes.at(-1)!.filter((each) => each.kind === kind).length,
            figures: {
              PSS: figureOf(
                'MiB',
                sizes.map((all) => sumOf(all, kind).pssMiB),
              ),
              RSS: figureOf(
                'MiB',
                sizes.map((all) => sumOf(all, kind).rssMiB),
              ),
            },
          }),
        ),
      ];
      return {
        setup: {
          rounds,
          memory: 'PSS: pages that several processes share are divided among them. RSS counts them once for each',
          'RSS of all (MiB)': Math.round(
            figureOf(
              'MiB',
              held.map(({ rssMiB }) => rssMiB),
            ).median,
          ),
        },
        series,
        verdicts: [
          { name: 'ms to ready', value: series[0]!.figures.ready!.median, target: TARGET_MS, good: 'at most' },
          {
            name: 'MiB (PSS) of host, cordons and what else it started, idle',
            value: figureOf(
              'MiB',
              held.map(({ pssMiB }) => pssMiB),
            ).median,
            target: TARGET_MIB,
            good: 'at most',
          },
        ],
      };
    } finally {
      await postgres.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** When it has said so and answers that it is. */
async function whenReady(host: ChildProcess): Promise<void> {
  const said: string[] = [];
  for await (const line of createInterface({ input: host.stderr! })) {
    said.push(line);
    if (!line.startsWith('{') || !line.includes('"ready"')) continue;
    const { url } = JSON.parse(line) as { url: string };
    const { status } = await fetch(`${url}/readyz`);
    if (status !== 200) throw new Error(`/readyz answered ${status}`);
    host.stderr!.resume();
    return;
  }
  throw new Error(`gatehouse serve ended:\n${said.join('\n')}`);
}

const sumOf = (all: ProcessSize[], kind?: ProcessSize['kind']) => {
  const chosen = all.filter((each) => (kind === undefined ? each.kind !== 'launcher' : each.kind === kind));
  return {
    rssMiB: chosen.reduce((sum, { rssMiB }) => sum + rssMiB, 0),
    // Where the system does not tell, what it does tell is more, and never less.
    pssMiB: chosen.reduce((sum, { pssMiB, rssMiB }) => sum + (pssMiB ?? rssMiB), 0),
  };
};

const showSizes = (all: ProcessSize[]): string =>
  KINDS.map(
    (kind) => `${kind} ${sumOf(all, kind).pssMiB.toFixed(0)} MiB PSS (${sumOf(all, kind).rssMiB.toFixed(0)} RSS)`,
  ).join(', ');
