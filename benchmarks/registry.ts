import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { asOwner, openDatabase } from '../host/database.ts';
import { startEmbeddedPostgres } from '../host/embedded-postgres.ts';
import { migrateUp } from '../migrations/run-migrations.ts';
import { createApiClient } from '../plugins-sdk/cli/api-client.ts';
import { registerKey } from '../plugins-sdk/cli/commands/keygen.ts';
import { publishPlugin } from '../plugins-sdk/cli/commands/publish.ts';
import { startHost } from './measure/processes.ts';
import { type Benchmark, figureOf } from './measure/report.ts';
import { seedMarketplace } from './measure/seed-marketplace.ts';
import { percentile } from './measure/statistics.ts';

const PLUGINS = 20_000;
const SEARCH_TARGET_MS = 50;
const PUBLISH_TARGET_MS = 2_000;
const PUBLISHED_EACH_ROUND = 5;
const SCAN_LOOK_MS = 100;
/** What is left of 1 MiB is the plugin's own few lines. */
const PADDING_BYTES = 1024 * 1024 - 4 * 1024;

/** One word and many, rare and in every other plugin, with slips, beginnings, Chinese, filters and none at all. */
const SEARCHES: Record<string, Parameters<ReturnType<typeof createApiClient>['searchCatalogue']>[0][]> = {
  'rare words': [{ search: 'inventory reports' }, { search: 'word1234' }, { search: 'seed-77/plugin-9977' }],
  'common words': [{ search: 'keeps' }, { search: 'plugin' }, { search: 'the best of orders' }],
  beginnings: [{ search: 'inven' }, { search: 'ord' }],
  slips: [{ search: 'inventroy' }, { search: 'subscritpion' }, { search: 'nothinglikeit' }],
  Chinese: [{ search: '库存' }, { search: '查询订单' }, { search: '快' }],
  'filters and orders': [
    { sort: 'popular' },
    { sort: 'newest', category: 'gaming' },
    { search: 'orders', price: 'free', without: 'fetch,queue', sort: 'rating' },
  ],
};

export const benchmark: Benchmark = {
  question: `How long does a search over ${PLUGINS} plugins take, and how long does it take to publish a release of 1 MB?`,
  run: async ({ rounds, tell }) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-bench-registry-'));
    const postgres = await startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), durable: true });
    try {
      await asOwner(postgres.ownerUrl, (owner) => migrateUp(owner, { appRole: 'gatehouse_app' }));
      const database = await openDatabase({ appUrl: postgres.appUrl });
      const analyze = () => asOwner(postgres.ownerUrl, (owner) => owner.raw('analyze'));
      await seedMarketplace(database.system, PLUGINS, analyze);
      await analyze();
      await database.close();
      tell(`${PLUGINS} plugins are there`);
      const host = await startHost({
        DATABASE_URL: postgres.appUrl,
        DATABASE_OWNER_URL: postgres.ownerUrl,
        GATEHOUSE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
        GATEHOUSE_PASSWORD_PEPPER: randomBytes(32).toString('base64'),
      });
      try {
        const clientOf = (role: string) => createApiClient({ url: host.url, token: host.credentials[role]! });
        const searches = await measureSearches(clientOf('operator'), rounds, tell);
        const { published, scanned } = await measurePublishing(clientOf('publisher'), folder, rounds, tell);
        const at = (samples: number[][], share: number) =>
          figureOf(
            'ms',
            samples.map((each) =>
              percentile(
                each.toSorted((a, b) => a - b),
                share,
              ),
            ),
          );
        const seriesOf = (candidate: string, situation: string, samples: number[][]) => ({
          candidate,
          situation,
          n: samples.flat().length,
          figures: { p50: at(samples, 0.5), p95: at(samples, 0.95) },
        });
        const together = Array.from({ length: rounds }, (_, round) =>
          [...searches.values()].flatMap((all) => all[round]!),
        );
        const series = [
          seriesOf('search', 'all kinds together', together),
          ...[...searches].map(([kind, samples]) => seriesOf('search', kind, samples)),
          seriesOf('publish 1 MB', 'bundled, signed, sent and checked', published),
          seriesOf('publish 1 MB', 'and scanned, before a review', scanned),
        ];
        return {
          setup: { rounds, plugins: PLUGINS },
          series,
          verdicts: [
            {
              name: 'p95 of a search, ms',
              value: at(together, 0.95).median,
              target: SEARCH_TARGET_MS,
              good: 'at most',
            },
            {
              name: 'p95 of publishing 1 MB, ms',
              value: at(published, 0.95).median,
              target: PUBLISH_TARGET_MS,
              good: 'at most',
            },
          ],
        };
      } finally {
        await host.close();
      }
    } finally {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const SAMPLES = 20;

async function measureSearches(
  api: ReturnType<typeof createApiClient>,
  rounds: number,
  tell: (line: string) => void,
): Promise<Map<string, number[][]>> {
  const measured = new Map(Object.keys(SEARCHES).map((kind) => [kind, [] as number[][]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [kind, filters] of Object.entries(SEARCHES)) {
      const samples: number[] = [];
      for (let at = 0; at < SAMPLES; at += 1) {
        for (const filter of filters) {
          const startedAtMs = performance.now();
          await api.searchCatalogue({ ...filter, limit: 20 });
          samples.push(performance.now() - startedAtMs);
        }
      }
      measured.get(kind)!.push(samples);
    }
    tell(`searched, round ${round + 1} of ${rounds}`);
  }
  return measured;
}

/** The scan follows upon the publication by itself; none begins before the scan of the one before has ended. */
async function measurePublishing(
  api: ReturnType<typeof createApiClient>,
  folder: string,
  rounds: number,
  tell: (line: string) => void,
): Promise<{ published: number[][]; scanned: number[][] }> {
  const { privateKey } = generateKeyPairSync('ed25519');
  await registerKey(api)(privateKey, 'bench registry');
  const measured = { published: [] as number[][], scanned: [] as number[][] };
  for (let round = 0; round < rounds; round += 1) {
    const [published, scanned]: [number[], number[]] = [[], []];
    for (let at = 0; at < PUBLISHED_EACH_ROUND; at += 1) {
      writePlugin(folder, `1.${round}.${at}`);
      const startedAtMs = performance.now();
      const { release } = await publishPlugin(api)({ folder, privateKey });
      published.push(performance.now() - startedAtMs);
      while ((await api.findScan(release.id)).finishedAt === null) await rest(SCAN_LOOK_MS);
      scanned.push(performance.now() - startedAtMs);
    }
    measured.published.push(published);
    measured.scanned.push(scanned);
    tell(`published, round ${round + 1} of ${rounds}`);
  }
  return measured;
}

/** Of random text, so that it stays about as large when it is packed. */
function writePlugin(folder: string, version: string): void {
  const manifest = {
    name: 'bench-large',
    version,
    kind: 'plugin',
    publisher: 'acme-labs',
    title: 'Large',
    description: 'Carries a megabyte.',
    category: 'utilities',
    entry: 'index.ts',
    engine: '^0.1.0',
    routes: [{ method: 'GET', path: '/', access: 'caller' }],
  };
  const padding = randomBytes(PADDING_BYTES).toString('base64').slice(0, PADDING_BYTES);
  writeFileSync(path.join(folder, 'gatehouse.json'), JSON.stringify(manifest));
  writeFileSync(
    path.join(folder, 'index.ts'),
    `import { definePlugin } from '@gatehouse/plugin-sdk';
const padding = '${padding}';
export default definePlugin({ routes: { 'GET /': () => new Response(String(padding.length)) } });\n`,
  );
}
