import { type Candidate, measureInTurn, medianOf } from './in-turn.ts';
import { installPlugin } from './install-plugin.ts';
import { type Running, startBareKoa, startHost, startWorkingKoa } from './processes.ts';

/** A ratio that must not fall below `least`: a third of what it is on a quiet machine: 0.21 was seen on one with ten others at work. */
interface Guarded {
  name: string;
  plugin: Candidate;
  peer: Candidate;
  least: number;
}

const PLUGIN = 'plugin';
const PEER = 'Koa';
const CONNECTIONS = 32;
const SHORT = { rounds: 2, seconds: 1, warmUpSeconds: 2 };
/** The second look, which decides. */
const LONGER = { rounds: 3, seconds: 2, warmUpSeconds: 1 };

/**
 * Whether the platform is still about as fast as it was, in less than a minute: ratios to the same work in Koa, measured in turn, with
 * generous bounds. What falls short is measured once more, longer, and only that counts. Resolves with whether all is well.
 */
export async function guard(tell: (line: string) => void): Promise<boolean> {
  const running: Running[] = [];
  try {
    const guarded = await prepare(running);
    let well = true;
    for (const each of guarded) {
      let value = await ratioOf(each, SHORT);
      const shortfall = value < each.least;
      if (shortfall) {
        tell(`${each.name}: ${value.toFixed(2)}, less than ${each.least}; once more, to be sure`);
        value = await ratioOf(each, LONGER);
      }
      const isWell = value >= each.least;
      tell(`${isWell ? 'ok    ' : 'SLOWER'} ${each.name}: ${value.toFixed(2)} (at least ${each.least})`);
      well &&= isWell;
    }
    return well;
  } finally {
    for (const each of running.toReversed()) await each.close();
  }
}

async function ratioOf({ plugin, peer }: Guarded, options: typeof SHORT): Promise<number> {
  const series = await measureInTurn([peer, plugin], [CONNECTIONS], { ...options, tell: () => {} });
  return medianOf(series, PLUGIN, 'throughput') / medianOf(series, PEER, 'throughput');
}

async function prepare(running: Running[]): Promise<Guarded[]> {
  const host = await startHost();
  running.push(host);
  const headers = { authorization: `Bearer ${host.credentials.caller}`, 'content-type': 'application/json' };
  const text = `${await installPlugin(host, 'text')}/text`;
  const work = await installPlugin(host, 'work');
  const answer = await fetch(text, { headers });
  const bare = await startBareKoa({
    status: answer.status,
    contentType: answer.headers.get('content-type') ?? '',
    body: await answer.text(),
  });
  running.push(bare);
  const working = await startWorkingKoa();
  running.push(working);
  const lines = Array.from({ length: 110 }, (_, at) => ({
    sku: `sku-${at % 20}`,
    name: `A game voucher with the number ${at}`,
    count: (at % 5) + 1,
    priceMinor: 499 + at,
  }));
  const order = { method: 'POST', body: JSON.stringify({ lines }) };
  const pair = (name: string, pluginUrl: string, peerUrl: string, least: number, call: Partial<Candidate> = {}) => ({
    name,
    plugin: { candidate: PLUGIN, url: pluginUrl, headers, ...call },
    peer: { candidate: PEER, url: peerUrl, headers, ...call },
    least,
  });
  return [
    pair('requests/s of a warm plugin over a bare Koa handler', text, bare.url, 0.12),
    pair('requests/s with 10 kB of JSON over Koa', `${work}/total`, `${working.url}/total`, 0.12, order),
    pair('requests/s of kv.get over the same statement from Koa', `${work}/entry`, `${working.url}/entry`, 0.12),
  ];
}
