import type { LoadResult } from './measure/autocannon-process.ts';
import { installPlugin } from './measure/install-plugin.ts';
import { besideNeighbour } from './measure/neighbour.ts';
import type { NeighbourResult } from './measure/neighbour-process.ts';
import { startHost } from './measure/processes.ts';
import { type Benchmark, figureOf, type Series, type Verdict } from './measure/report.ts';
import { LOAD_GENERATOR, measureLoad } from './measure/run-load.ts';
import { formatNumber } from './measure/statistics.ts';

const CONNECTIONS = 32;
const NEIGHBOUR_CALLS = 16;
const WARM_UP_SECONDS = 3;
const QUIET = 'alone';
const NOISES: Record<string, string> = {
  'beside one that burns CPU': '/burn',
  'beside one that allocates': '/hoard',
  'beside one that floods host calls': '/flood',
};

export const benchmark: Benchmark = {
  question: 'What is left to honest callers of one installation while another takes all that its limits let it have?',
  run: async ({ rounds, seconds, tell }) => {
    const host = await startHost();
    try {
      const headers = { authorization: `Bearer ${host.credentials.caller}` };
      const honest = { url: `${await installPlugin(host, 'text')}/text`, headers, connections: CONNECTIONS };
      const noisy = await installPlugin(host, 'noisy');
      const results = new Map<string, LoadResult[]>();
      const answered: Record<string, NeighbourResult> = {};
      await measureLoad({ ...honest, seconds: WARM_UP_SECONDS });
      const situations = [QUIET, ...Object.keys(NOISES)];
      for (let round = 1; round <= rounds; round += 1) {
        for (const situation of round % 2 === 1 ? situations : situations.toReversed()) {
          const noise = NOISES[situation];
          const measure = () => measureLoad({ ...honest, seconds });
          const order = { url: `${noisy}${noise}`, headers, calls: NEIGHBOUR_CALLS };
          const { result, answers } =
            noise === undefined ? { result: await measure(), answers: {} } : await besideNeighbour(order, measure);
          results.set(situation, [...(results.get(situation) ?? []), result]);
          answered[situation] = sumOf(answered[situation] ?? {}, answers);
          const told = `${formatNumber(result.requestsPerSecond).padStart(8)} requests/s, p99 ${formatNumber(result.p99Us)} us`;
          tell(`round ${round}  ${situation.padEnd(36)} ${told}`);
        }
      }
      const series = situations.map((situation) => seriesOf(situation, results.get(situation)!));
      return {
        setup: {
          rounds,
          'seconds per measurement': seconds,
          connections: CONNECTIONS,
          'calls of the neighbour at a time': NEIGHBOUR_CALLS,
          ...Object.fromEntries(
            Object.keys(NOISES).map((each) => [`answers to the neighbour, ${each}`, JSON.stringify(answered[each])]),
          ),
          load: LOAD_GENERATOR,
        },
        series,
        verdicts: verdictsOf(series, results),
      };
    } finally {
      await host.close();
    }
  },
};

function verdictsOf(series: Series[], results: Map<string, LoadResult[]>): Verdict[] {
  const [quiet, ...noisy] = series;
  const over = (each: Series, figure: string) => each.figures[figure]!.median / quiet!.figures[figure]!.median;
  return noisy.flatMap((each): Verdict[] => [
    {
      name: `p99 ${each.situation} over p99 ${QUIET}`,
      value: over(each, 'p99'),
      target: 3,
      good: 'at most',
    },
    {
      name: `requests/s ${each.situation} over those ${QUIET}`,
      value: over(each, 'throughput'),
      target: 0.6,
      good: 'at least',
    },
    {
      name: `failures ${each.situation}`,
      value: results.get(each.situation)!.reduce((sum, { failures }) => sum + failures, 0),
      target: 0,
      good: 'at most',
    },
  ]);
}

const seriesOf = (situation: string, all: LoadResult[]): Series => ({
  candidate: 'honest callers',
  situation,
  n: all.reduce((sum, { n }) => sum + n, 0),
  figures: {
    throughput: figureOf(
      'requests/s',
      all.map(({ requestsPerSecond }) => requestsPerSecond),
    ),
    p50: figureOf(
      'us',
      all.map(({ p50Us }) => p50Us),
    ),
    p99: figureOf(
      'us',
      all.map(({ p99Us }) => p99Us),
    ),
  },
});

function sumOf(one: NeighbourResult, other: NeighbourResult): NeighbourResult {
  const sum = { ...one };
  for (const [status, count] of Object.entries(other)) sum[status] = (sum[status] ?? 0) + count;
  return sum;
}
