import type { LoadOrder, LoadResult } from './autocannon-process.ts';
import { type BenchmarkOptions, figureOf, type Series } from './report.ts';
import { runLoad } from './run-load.ts';
import { formatNumber } from './statistics.ts';

/** Engines optimise by calls: with 10 kB of JSON a host answers 40 % more requests/s after ten seconds than in its first three. */
const WARM_UP_SECONDS = 15;

/** Somebody who answers requests. */
export interface Candidate extends Pick<LoadOrder, 'url' | 'headers' | 'method' | 'body' | 'paths'> {
  candidate: string;
}

/**
 * Puts load on each candidate with each number of connections. They take turns, and the order turns around every round, so that
 * drift of the machine hits all alike. Figures: throughput, p50, p99.
 */
export async function measureInTurn(
  candidates: Candidate[],
  connections: number[],
  { rounds, seconds, tell, warmUpSeconds = WARM_UP_SECONDS }: BenchmarkOptions & { warmUpSeconds?: number },
): Promise<Series[]> {
  const results = new Map<string, LoadResult[]>();
  const keyOf = (name: string, count: number) => `${name}, ${count}`;
  for (const each of candidates) await runLoad({ ...each, connections: 32, seconds: warmUpSeconds });
  for (let round = 1; round <= rounds; round += 1) {
    for (const each of round % 2 === 1 ? candidates : candidates.toReversed()) {
      for (const count of connections) {
        const result = await runLoad({ ...each, connections: count, seconds });
        const key = keyOf(each.candidate, count);
        results.set(key, [...(results.get(key) ?? []), result]);
        tell(`round ${round}  ${key.padEnd(24)} ${formatNumber(result.requestsPerSecond).padStart(8)} requests/s`);
      }
    }
  }
  return connections.flatMap((count) =>
    candidates.map(({ candidate }) => {
      const all = results.get(keyOf(candidate, count))!;
      return {
        candidate,
        situation: count === 1 ? '1 connection' : `${count} connections`,
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
      };
    }),
  );
}

/** The median of one figure. */
export function medianOf(series: Series[], candidate: string, figure: string, situation?: string): number {
  const found = series.find(
    (each) => each.candidate === candidate && (situation === undefined || each.situation === situation),
  );
  if (!found) throw new Error(`nothing was measured of ${candidate} ${situation ?? ''}`);
  return found.figures[figure]!.median;
}
