import path from 'node:path';
import { bundlePlugin } from '../plugins-sdk/bundle-plugin.ts';
import { type Candidate, measureInTurn, medianOf } from './measure/in-turn.ts';
import { installPlugins } from './measure/install-plugin.ts';
import { sizeOf, sizesBelow } from './measure/process-memory.ts';
import { type Running, type RunningHost, startHost } from './measure/processes.ts';
import { type Benchmark, figureOf, type Measured, type Series, type Verdict } from './measure/report.ts';
import { LOAD_GENERATOR } from './measure/run-load.ts';
import { countingLoaderCode, PeerMissing, startWorkerd } from './measure/workerd.ts';

const ISOLATES = 500;
const PLUGIN = 'plugin';
const LOADER = 'workerd, dynamic worker loader';
const FIRST = 'after their first answers';
const LOADED = 'after the load';
const ONE = '1 installation';
const ALL = `${ISOLATES} installations in turn`;
const EXAMPLE = path.resolve(import.meta.dirname, '../examples/hello-http');
const MIB_PER_GIB = 1024;

/** Somebody who holds many isolates. */
interface Holder {
  candidate: string;
  url: string;
  paths: string[];
  headers: Record<string, string>;
  residentMiB(): number;
  /** Isolates that were made since the start, and those that are there: fewer where some had to go. */
  count(): Promise<{ made: number; alive: number }>;
}

export const benchmark: Benchmark = {
  question: `How many warm isolates of examples/hello-http fit in a GiB, and what do ${ISOLATES} of them at once do to the throughput?`,
  run: async (options) => {
    const running: Running[] = [];
    const missing: NonNullable<Measured['missing']> = [];
    try {
      const holders = [await holdPlugins(running)];
      try {
        holders.push(await holdWorkers(running));
      } catch (error) {
        if (!(error instanceof PeerMissing)) throw error;
        missing.push({ candidate: LOADER, why: error.message });
      }
      const sizes: Series[] = [];
      const made: Record<string, number> = {};
      for (const holder of holders) {
        const before = holder.residentMiB();
        const madeBefore = (await holder.count()).made;
        const sizeNow = async (situation: string) => {
          const grownMiB = holder.residentMiB() - before;
          const { alive } = await holder.count();
          options.tell(`${holder.candidate}, ${situation}: ${grownMiB.toFixed(0)} MiB for ${alive} isolates`);
          sizes.push(sizeSeries(holder.candidate, situation, grownMiB, alive));
        };
        for (const each of holder.paths) await readAnswer(holder, each);
        await sizeNow(FIRST);
        const candidatesOf = (situation: string, paths: string[]): Candidate => ({
          candidate: `${holder.candidate}, ${situation}`,
          url: holder.url,
          headers: holder.headers,
          paths,
        });
        // Each holder alone, for what is compared are its own two situations.
        const load = [candidatesOf(ONE, holder.paths.slice(0, 1)), candidatesOf(ALL, holder.paths)];
        sizes.push(...(await measureInTurn(load, [32], options)));
        await sizeNow(LOADED);
        made[holder.candidate] = (await holder.count()).made - madeBefore;
      }
      return {
        setup: {
          rounds: options.rounds,
          'seconds per measurement': options.seconds,
          isolates: ISOLATES,
          'isolates made': Object.entries(made)
            .map(([name, count]) => `${name} ${count}`)
            .join(', '),
          load: LOAD_GENERATOR,
        },
        series: sizes,
        verdicts: verdictsOf(sizes, missing.length === 0),
        missing,
      };
    } finally {
      for (const each of running.toReversed()) await each.close();
    }
  },
};

function verdictsOf(series: Series[], hasPeer: boolean): Verdict[] {
  const throughput = (holder: string, situation: string) => medianOf(series, `${holder}, ${situation}`, 'throughput');
  const verdicts: Verdict[] = [
    {
      name: `requests/s of ${ALL} over those of one`,
      value: throughput(PLUGIN, ALL) / throughput(PLUGIN, ONE),
      target: 0.7,
      good: 'at least',
    },
  ];
  if (!hasPeer) return verdicts;
  const capacityOf = (holder: string, situation: string) => medianOf(series, holder, 'fit', situation);
  for (const situation of [FIRST, LOADED]) {
    verdicts.push({
      name: `isolates per GiB ${situation} over ${LOADER}`,
      value: capacityOf(PLUGIN, situation) / capacityOf(LOADER, situation),
      target: 1,
      good: 'at least',
    });
  }
  return verdicts;
}

const sizeSeries = (candidate: string, situation: string, grownMiB: number, alive: number): Series => ({
  candidate,
  situation,
  n: alive,
  figures: {
    fit: figureOf('isolates/GiB', [(alive / grownMiB) * MIB_PER_GIB]),
    each: figureOf('MiB', [grownMiB / alive]),
  },
});

async function holdPlugins(running: Running[]): Promise<Holder> {
  const host = await startHost();
  running.push(host);
  const slugs = Array.from({ length: ISOLATES }, (_, at) => `dense-${at}`);
  const addresses = await installPlugins(host, EXAMPLE, slugs);
  return {
    candidate: PLUGIN,
    url: host.url,
    paths: addresses.map((address) => `${new URL(address).pathname}/`),
    headers: {},
    // All of them, for a new one takes over what the one before it cannot hold.
    residentMiB: () =>
      sizesBelow(host.pid)
        .filter(({ kind }) => kind === 'cordon')
        .reduce((sum, { rssMiB }) => sum + rssMiB, 0),
    count: () => countIsolates(host),
  };
}

async function countIsolates({ url }: RunningHost): Promise<{ made: number; alive: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const gaugeOf = (name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { made: gaugeOf('gatehouse_isolates_started_total'), alive: gaugeOf('gatehouse_isolates') };
}

/** The same bundle; around it what answers a request with the plugin's handler. */
async function holdWorkers(running: Running[]): Promise<Holder> {
  const { code: bundle } = await bundlePlugin({ folder: EXAMPLE, manifest: { entry: 'src/index.ts' } });
  const code = `let plugin; globalThis.__gatehouse_define = (defined) => { plugin = defined };\n${bundle}\nexport default { fetch: (request) => plugin.routes['GET /'](request) };`;
  const peer = await startWorkerd({ code: countingLoaderCode(code), loader: true });
  running.push(peer);
  return {
    candidate: LOADER,
    url: peer.url,
    paths: Array.from({ length: ISOLATES }, (_, at) => `/dense-${at}`),
    headers: {},
    residentMiB: () => sizeOf(peer.pid).rssMiB,
    // It lets none of them go.
    count: async () => {
      const made = Number(await (await fetch(new URL('/made', peer.url))).text());
      return { made, alive: made };
    },
  };
}

async function readAnswer({ url, headers }: Holder, place: string): Promise<void> {
  const response = await fetch(new URL(place, url), { headers });
  const body = await response.text();
  if (!response.ok) throw new Error(`${place} answered ${response.status}: ${body}`);
}
