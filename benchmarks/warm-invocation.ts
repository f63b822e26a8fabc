import { type Candidate, measureInTurn, medianOf } from './measure/in-turn.ts';
import { installPlugin } from './measure/install-plugin.ts';
import { type Running, type RunningHost, startBareKoa, startHost } from './measure/processes.ts';
import type { Benchmark, Measured, Verdict } from './measure/report.ts';
import { LOAD_GENERATOR, runLoad } from './measure/run-load.ts';
import { loaderCode, PeerMissing, startWorkerd } from './measure/workerd.ts';

const KOA = 'bare Koa';
const PLUGIN = 'plugin';
const WORKERD = 'workerd, static worker';
const LOADER = 'workerd, dynamic worker loader';
const MANY = '32 connections';
const ONE = '1 connection';
const PROFILE_SECONDS = 8;

const pluginOn = async (host: RunningHost): Promise<Candidate> => ({
  candidate: PLUGIN,
  url: `${await installPlugin(host, 'text')}/text`,
  headers: { authorization: `Bearer ${host.credentials.caller}` },
});

export const benchmark: Benchmark = {
  question:
    'How much of a bare Koa handler is left when a plugin in a warm isolate gives the same answer? And of workerd?',
  run: async (options) => {
    const host = await startHost();
    const running: Running[] = [host];
    try {
      const plugin = await pluginOn(host);
      const answer = await readAnswer(plugin);
      const koa = await startBareKoa(answer);
      running.push(koa);
      const candidates = [{ candidate: KOA, url: koa.url, headers: {} }, plugin];
      const missing: NonNullable<Measured['missing']> = [];
      const { contentType, body } = answer;
      const code = `export default { fetch: () => new Response(${JSON.stringify(body)}, { headers: { 'content-type': ${JSON.stringify(contentType)} } }) };`;
      for (const [candidate, setup] of [
        [WORKERD, { code }],
        [LOADER, { code: loaderCode(code), loader: true }],
      ] as const) {
        try {
          const peer = await startWorkerd(setup);
          running.push(peer);
          candidates.push({ candidate, url: peer.url, headers: {} });
        } catch (error) {
          if (!(error instanceof PeerMissing)) throw error;
          missing.push({ candidate, why: error.message });
        }
      }
      const series = await measureInTurn(candidates, [32, 1], options);
      const over = (peer: string, figure: string, situation: string) =>
        medianOf(series, PLUGIN, figure, situation) / medianOf(series, peer, figure, situation);
      const verdicts: Verdict[] = [
        {
          name: 'requests/s of the plugin over bare Koa, 32 connections',
          value: over(KOA, 'throughput', MANY),
          target: 0.65,
          good: 'at least',
        },
        {
          name: 'p50 of the plugin over bare Koa, 1 connection',
          value: over(KOA, 'p50', ONE),
          target: 2.2,
          good: 'at most',
        },
      ];
      for (const [peer, target] of [
        [WORKERD, 1.3],
        [LOADER, 3],
      ] as const) {
        if (!candidates.some(({ candidate }) => candidate === peer)) continue;
        const name = `requests/s of the plugin over ${peer}, 32 connections`;
        verdicts.push({ name, value: over(peer, 'throughput', MANY), target, good: 'at least' });
      }
      return {
        setup: {
          rounds: options.rounds,
          'seconds per measurement': options.seconds,
          'bytes of body': Buffer.byteLength(body),
          load: LOAD_GENERATOR,
        },
        series,
        verdicts,
        missing,
      };
    } finally {
      for (const each of running.toReversed()) await each.close();
    }
  },
  profiled: async (host, seconds) => {
    // A lane warms up first, and what is profiled is slow.
    await runLoad({ ...(await pluginOn(host)), connections: 32, seconds: Math.max(seconds, PROFILE_SECONDS) });
  },
};

async function readAnswer({ url, headers }: Candidate) {
  const response = await fetch(url, { headers });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body}`);
  return { status: response.status, contentType: response.headers.get('content-type') ?? '', body };
}
