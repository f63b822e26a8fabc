import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { OPERATOR_SLUG } from '../host/demo/people.ts';
import { createApiClient } from '../plugins-sdk/cli/api-client.ts';
import { registerKey } from '../plugins-sdk/cli/commands/keygen.ts';
import { publishPlugin } from '../plugins-sdk/cli/commands/publish.ts';
import { startHost } from './measure/processes.ts';
import { type Benchmark, figureOf, type Series } from './measure/report.ts';
import { percentile } from './measure/statistics.ts';

const SLUG = 'deployed';
const TARGET_MS = 1_000;
const EACH_ROUND = 5;
const RELEASES_MIN = 20;
/** Somebody calls the installation again and again; so often, that it adds little to what is measured. */
const CALL_PERIOD_MS = 2;
const LIVE_MS_MAX = 30_000;

export const benchmark: Benchmark = {
  question: 'How long does it take from an accepted release to its first answer, where an installation follows it?',
  run: async ({ rounds, tell }) => {
    const host = await startHost();
    const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-bench-deploy-'));
    try {
      const clientOf = (role: string) => createApiClient({ url: host.url, token: host.credentials[role]! });
      const [publisher, moderator, operator] = ['publisher', 'moderator', 'operator'].map(clientOf);
      const { privateKey } = generateKeyPairSync('ed25519');
      await registerKey(publisher!)(privateKey, 'bench deploy');
      /** Resolves with the time at which it was accepted. */
      const publish = async (version: string) => {
        writePlugin(folder, version);
        const { release } = await publishPlugin(publisher!)({ folder, privateKey });
        const acceptedAtMs = performance.now();
        await moderator!.approveRelease(release.id);
        return { release, acceptedAtMs, approvedAtMs: performance.now() };
      };
      const { release } = await publish('1.0.0');
      await operator!.install({ id: uuidv7(), plugin: release.plugin, version: '^1', slug: SLUG, grants: [] });
      const url = `${host.url}/run/${OPERATOR_SLUG}/${SLUG}/`;
      const headers = { authorization: `Bearer ${host.credentials.caller}` };
      const times: { approval: number; follow: number; live: number }[][] = [];
      let answers = 0;
      let failures = 0;
      const count = Math.max(rounds, Math.ceil(RELEASES_MIN / EACH_ROUND));
      for (let round = 0; round < count; round += 1) {
        times.push([]);
        for (let at = 1; at <= EACH_ROUND; at += 1) {
          const version = `1.0.${round * EACH_ROUND + at}`;
          const { acceptedAtMs, approvedAtMs } = await publish(version);
          for (let seen = ''; seen !== version; ) {
            if (performance.now() - acceptedAtMs > LIVE_MS_MAX) throw new Error(`${version} did not come`);
            const answer = await fetch(url, { headers });
            seen = await answer.text();
            answers += 1;
            if (!answer.ok) failures += 1;
            if (seen !== version) await new Promise((resolve) => setTimeout(resolve, CALL_PERIOD_MS));
          }
          const liveAtMs = performance.now();
          times.at(-1)!.push({
            approval: approvedAtMs - acceptedAtMs,
            follow: liveAtMs - approvedAtMs,
            live: liveAtMs - acceptedAtMs,
          });
        }
        tell(
          `round ${round + 1}: ${times
            .at(-1)!
            .map(({ live }) => live.toFixed(0))
            .join(', ')} ms`,
        );
      }
      const series = (['approval', 'follow', 'live'] as const).map(
        (part): Series => ({
          candidate: NAMES[part],
          situation: '',
          n: count * EACH_ROUND,
          figures: Object.fromEntries(
            [
              ['p50', 0.5],
              ['max', 1],
            ].map(([name, share]) => [
              name,
              figureOf(
                'ms',
                times.map((each) =>
                  percentile(
                    each.map((parts) => parts[part]).toSorted((a, b) => a - b),
                    Number(share),
                  ),
                ),
              ),
            ]),
          ),
        }),
      );
      const all = times.flat().map(({ live }) => live);
      const sorted = all.toSorted((a, b) => a - b);
      return {
        setup: { releases: all.length, 'calls of the installation meanwhile': answers },
        series,
        verdicts: [
          { name: 'ms until live, p50', value: percentile(sorted, 0.5), target: TARGET_MS, good: 'at most' },
          { name: 'ms until live, the slowest', value: percentile(sorted, 1), target: TARGET_MS, good: 'at most' },
          { name: 'calls that failed meanwhile', value: failures, target: 0, good: 'at most' },
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await host.close();
    }
  },
};

const NAMES = {
  approval: 'accepted to approved',
  follow: 'approved to first answer',
  live: 'accepted to first answer',
};

function writePlugin(folder: string, version: string): void {
  const manifest = {
    name: 'bench-deploy',
    version,
    kind: 'plugin',
    publisher: 'acme-labs',
    title: 'Deploy',
    description: 'Answers with its version.',
    category: 'utilities',
    entry: 'index.ts',
    engine: '^0.1.0',
    routes: [{ method: 'GET', path: '/', access: 'caller' }],
    pricing: { model: 'free' },
  };
  writeFileSync(path.join(folder, 'gatehouse.json'), JSON.stringify(manifest));
  writeFileSync(
    path.join(folder, 'index.ts'),
    `import { definePlugin } from '@gatehouse/plugin-sdk';\nexport default definePlugin({ routes: { 'GET /': () => new Response('${version}') } });\n`,
  );
}
