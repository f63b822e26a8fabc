import { measureBareWork } from './measure/bare-work.ts';
import { type Candidate, measureInTurn, medianOf } from './measure/in-turn.ts';
import { installPlugin } from './measure/install-plugin.ts';
import { type Running, startHost, startHosts } from './measure/processes.ts';
import { type Benchmark, figureOf, type Series, type Verdict } from './measure/report.ts';
import { LOAD_GENERATOR } from './measure/run-load.ts';

const ONE = '1 cordon with 1 lane';
const LANES = '1 cordon with 2 lanes';
const CORDONS = '2 cordons with 1 lane';
const HOSTS = '2 hosts with 1 cordon each';
const BARE_ONE = '1 bare process';
const BARE_TWO = '2 bare processes';
/** Hosts, cordons of each, lanes of each. */
const SHAPES: [string, number, string, string][] = [
  [ONE, 1, '1', '1'],
  [LANES, 1, '1', '2'],
  [CORDONS, 1, '2', '1'],
  [HOSTS, 2, '1', '1'],
];
const MORE = [LANES, CORDONS, HOSTS];
/** Enough for two lanes to be never idle; the load of a few hundred requests a second costs next to nothing. */
const CONNECTIONS = 8;
const TARGET = 1.6;
/** The same target where two cores are not twice one: those of one core's threads, or of a machine that others use too. */
const SHARE_OF_IDEAL = 0.8;

export const benchmark: Benchmark = {
  question:
    'How much more do two lanes, two cordons, or two hosts, get done than one, where every invocation computes for 5 ms?',
  run: async (options) => {
    const running: Running[] = [];
    try {
      const candidates: Candidate[] = [];
      for (const [candidate, hosts, cordons, lanes] of SHAPES) {
        const settings = { GATEHOUSE_CORDONS: cordons, GATEHOUSE_LANES_PER_CORDON: lanes };
        const host = hosts > 1 ? await startHosts(hosts, settings) : await startHost(settings);
        running.push(host);
        const headers = { authorization: `Bearer ${host.credentials.caller}` };
        candidates.push({ candidate, url: `${await installPlugin(host, 'work')}/burn`, headers });
      }
      const series = await measureInTurn(candidates, [CONNECTIONS], options);
      const bare = await measureBare(options.rounds, Math.min(2, options.seconds));
      const over = (candidate: string) =>
        medianOf(series, candidate, 'throughput') / medianOf(series, ONE, 'throughput');
      const verdicts: Verdict[] = MORE.map((candidate) => ({
        name: `requests/s of ${candidate} over ${ONE}`,
        value: over(candidate),
        target: TARGET,
        good: 'at least',
      }));
      const ideal = medianOf(bare, BARE_TWO, 'throughput') / medianOf(bare, BARE_ONE, 'throughput');
      for (const candidate of MORE) {
        verdicts.push({
          name: `the gain of ${candidate} over that of two bare processes (${ideal.toFixed(2)} on this machine)`,
          value: over(candidate) / ideal,
          target: SHARE_OF_IDEAL,
          good: 'at least',
        });
      }
      return {
        setup: {
          rounds: options.rounds,
          'seconds per measurement': options.seconds,
          connections: CONNECTIONS,
          load: LOAD_GENERATOR,
        },
        series: [...series, ...bare],
        verdicts,
      };
    } finally {
      for (const each of running.toReversed()) await each.close();
    }
  },
};

/** The same work in processes that do nothing else: more than that, nobody gets on this machine. */
async function measureBare(rounds: number, seconds: number): Promise<Series[]> {
  const results: Record<string, number[]> = { [BARE_ONE]: [], [BARE_TWO]: [] };
  for (let round = 0; round < rounds; round += 1) {
    results[BARE_ONE]!.push(await measureBareWork(1, seconds));
    results[BARE_TWO]!.push(await measureBareWork(2, seconds));
  }
  return Object.entries(results).map(([candidate, all]) => ({
    candidate,
    situation: 'the same work',
    n: Math.round(all.reduce((sum, each) => sum + each, 0) * seconds),
    figures: { throughput: figureOf('requests/s', all) },
  }));
}
