import { type Candidate, measureInTurn, medianOf } from './measure/in-turn.ts';
import { installPlugin } from './measure/install-plugin.ts';
import { type Running, startHost, startWorkingKoa } from './measure/processes.ts';
import type { Benchmark, Series, Verdict } from './measure/report.ts';
import { LOAD_GENERATOR } from './measure/run-load.ts';

const KOA = 'Koa';
const PLUGIN = 'plugin';
const TARGET = 0.6;

export const benchmark: Benchmark = {
  question: 'What is left of a Koa handler that reads or writes one row when a plugin does the same through `kv`?',
  run: async (options) => {
    const host = await startHost();
    const running: Running[] = [host];
    try {
      const address = await installPlugin(host, 'work');
      const koa = await startWorkingKoa();
      running.push(koa);
      const headers = { 'content-type': 'application/json' };
      const authorization = `Bearer ${host.credentials.caller}`;
      const body = JSON.stringify({ player: 'one', row: [2, 3, 4, 9], note: 'x'.repeat(200) });
      const candidatesFor = (call: Pick<Candidate, 'method' | 'body'>): Candidate[] => [
        { candidate: KOA, url: `${koa.url}/entry`, headers, ...call },
        { candidate: PLUGIN, url: `${address}/entry`, headers: { ...headers, authorization }, ...call },
      ];
      const all: Series[] = [];
      const verdicts: Verdict[] = [];
      // Writing first, so that there is something to read.
      for (const [name, call] of [
        ['kv.set', { method: 'POST', body }],
        ['kv.get', { method: 'GET' }],
      ] as const) {
        options.tell(name);
        const series = await measureInTurn(candidatesFor(call), [32], options);
        const value = medianOf(series, PLUGIN, 'throughput') / medianOf(series, KOA, 'throughput');
        verdicts.push({
          name: `requests/s of ${name} over the same statement from Koa`,
          value,
          target: TARGET,
          good: 'at least',
        });
        all.push(...series.map((each) => ({ ...each, situation: `${name}, ${each.situation}` })));
      }
      const { rounds, seconds } = options;
      const setup = {
        rounds,
        'seconds per measurement': seconds,
        database: 'embedded PostgreSQL, one for each',
        load: LOAD_GENERATOR,
      };
      return { setup, series: all, verdicts };
    } finally {
      for (const each of running.toReversed()) await each.close();
    }
  },
};
