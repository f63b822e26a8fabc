import { type Candidate, measureInTurn, medianOf } from './measure/in-turn.ts';
import { installPlugin } from './measure/install-plugin.ts';
import { type Running, startHost, startWorkingKoa } from './measure/processes.ts';
import type { Benchmark, Measured, Verdict } from './measure/report.ts';
import { LOAD_GENERATOR } from './measure/run-load.ts';
import { loaderCode, PeerMissing, startWorkerd } from './measure/workerd.ts';
import { type Order, totalOf } from './plugins/work/tasks.ts';

const KOA = 'Koa';
const PLUGIN = 'plugin';
const LOADER = 'workerd, dynamic worker loader';
const LINES = 110;

const order: Order = {
  lines: Array.from({ length: LINES }, (_, at) => ({
    sku: `sku-${at % 20}`,
    name: `A game voucher with the number ${at}`,
    count: (at % 5) + 1,
    priceMinor: 499 + at,
  })),
};

export const benchmark: Benchmark = {
  question: 'What does it cost to let a plugin read 10 kB of JSON, work on it and write it back?',
  run: async (options) => {
    const host = await startHost();
    const running: Running[] = [host];
    try {
      const address = await installPlugin(host, 'work');
      const koa = await startWorkingKoa();
      running.push(koa);
      const post = { method: 'POST', body: JSON.stringify(order) };
      const json = { 'content-type': 'application/json' };
      const candidates: Candidate[] = [
        { candidate: KOA, url: `${koa.url}/total`, headers: json, ...post },
        {
          candidate: PLUGIN,
          url: `${address}/total`,
          headers: { ...json, authorization: `Bearer ${host.credentials.caller}` },
          ...post,
        },
      ];
      const missing: NonNullable<Measured['missing']> = [];
      try {
        const code = `${totalOf}\nexport default { async fetch(request) { return Response.json(totalOf(await request.json())) } };`;
        const peer = await startWorkerd({ code: loaderCode(code), loader: true });
        running.push(peer);
        candidates.push({ candidate: LOADER, url: peer.url, headers: json, ...post });
      } catch (error) {
        if (!(error instanceof PeerMissing)) throw error;
        missing.push({ candidate: LOADER, why: error.message });
      }
      const series = await measureInTurn(candidates, [32], options);
      const over = (peer: string) => medianOf(series, PLUGIN, 'throughput') / medianOf(series, peer, 'throughput');
      const verdicts: Verdict[] = [
        { name: 'requests/s of the plugin over Koa', value: over(KOA), target: 0.6, good: 'at least' },
      ];
      if (missing.length === 0) {
        verdicts.push({
          name: `requests/s of the plugin over ${LOADER}`,
          value: over(LOADER),
          target: 2,
          good: 'at least',
        });
      }
      const { rounds, seconds } = options;
      const setup = {
        rounds,
        'seconds per measurement': seconds,
        'bytes of body': Buffer.byteLength(post.body),
        load: LOAD_GENERATOR,
      };
      return { setup, series, verdicts, missing };
    } finally {
      for (const each of running.toReversed()) await each.close();
    }
  },
};
