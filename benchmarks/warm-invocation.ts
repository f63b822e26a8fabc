import type { LoadResult } from './measure/autocannon-process.ts';
import { installPlugin } from './measure/install-plugin.ts';
import { startBareKoa, startHost } from './measure/processes.ts';
import type { Benchmark, BenchmarkOptions, Figure, Measured, Series } from './measure/report.ts';
import { LOAD_GENERATOR, runLoad } from './measure/run-load.ts';
import { formatNumber, median, spread } from './measure/statistics.ts';

const TARGET = 0.5;
const WARM_UP_SECONDS = 3;
/** Throughput shows under many connections, latency with one. */
const CONNECTIONS = [32, 1];

interface Candidate {
  candidate: string;
  url: string;
  headers: Record<string, string>;
}

export const benchmark: Benchmark = {
  question: 'How much of a bare Koa handler is left when a plugin in a warm isolate gives the same answer?',
  run: async (options) => {
    const host = await startHost();
    try {
      const plugin = {
        candidate: 'plugin',
        url: `${await installPlugin(host, 'text')}/text`,
        headers: { authorization: `Bearer ${host.credentials.caller}` },
      };
      const answer = await readAnswer(plugin);
      const bare = await startBareKoa(answer);
      try {
        const candidates = [{ candidate: 'bare Koa', url: bare.url, headers: {} }, plugin];
        return report(await measureInTurn(candidates, options), answer.body, options);
      } finally {
        await bare.close();
      }
    } finally {
      await host.close();
    }
  },
};

async function readAnswer({ url, headers }: Candidate) {
  const response = await fetch(url, { headers });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body}`);
  return { status: response.status, contentType: response.headers.get('content-type') ?? '', body };
}

type Results = Map<string, LoadResult[]>;
const keyOf = ({ candidate }: Pick<Candidate, 'candidate'>, connections: number) => `${candidate} ${connections}`;

/** Candidates take turns, and the order turns around every round, so that drift of the machine hits both alike. */
async function measureInTurn(candidates: Candidate[], { rounds, seconds, tell }: BenchmarkOptions): Promise<Results> {
  for (const { url, headers } of candidates) await runLoad({ url, headers, connections: 32, seconds: WARM_UP_SECONDS });
  const results: Results = new Map();
  for (let round = 1; round <= rounds; round += 1) {
    for (const each of round % 2 === 1 ? candidates : candidates.toReversed()) {
      for (const connections of CONNECTIONS) {
        const { url, headers } = each;
        const result = await runLoad({ url, headers, connections, seconds });
        const key = keyOf(each, connections);
        results.set(key, [...(results.get(key) ?? []), result]);
        tell(`round ${round}  ${key.padEnd(12)} ${formatNumber(result.requestsPerSecond).padStart(8)} requests/s`);
      }
    }
  }
  return results;
}

function report(results: Results, body: string, { rounds, seconds }: BenchmarkOptions): Measured {
  const seriesOf = (candidate: string, connections: number): Series => {
    const all = results.get(keyOf({ candidate }, connections))!;
    const figure = (unit: Figure['unit'], pick: (result: LoadResult) => number): Figure => {
      const numbers = all.map(pick);
      return { unit, median: median(numbers), spread: spread(numbers), rounds: numbers };
    };
    return {
      candidate,
      connections,
      n: all.reduce((sum, { n }) => sum + n, 0),
      throughput: figure('requests/s', ({ requestsPerSecond }) => requestsPerSecond),
      p50: figure('us', ({ p50Us }) => p50Us),
      p99: figure('us', ({ p99Us }) => p99Us),
    };
  };
  const series = CONNECTIONS.flatMap((connections) =>
    ['bare Koa', 'plugin'].map((candidate) => seriesOf(candidate, connections)),
  );
  const [bare, plugin] = series as [Series, Series];
  const value = plugin.throughput.median / bare.throughput.median;
  return {
    setup: {
      rounds,
      'seconds per measurement': seconds,
      'bytes of body': Buffer.byteLength(body),
      load: LOAD_GENERATOR,
    },
    series,
    ratio: {
      name: 'requests/s of the plugin over bare Koa, 32 connections',
      value,
      target: TARGET,
      met: value >= TARGET,
    },
  };
}
