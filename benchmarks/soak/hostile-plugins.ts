import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipTar, writeTar } from '../../plugins-sdk/cli/write-archive.ts';
import { ARCHIVE_FILES, type Manifest, sha256Hex } from '../../plugins-sdk/contract/index.ts';
import type { Attack } from '../../sandbox/hostile/attack.ts';

/** One payload of the corpus, as a release that anybody could publish. */
export interface HostilePlugin {
  /** Its file in the corpus, without the ending. */
  name: string;
  manifest: Manifest;
  archive: Buffer;
  /** Of the uncompressed tar: what is signed. */
  digest: string;
  /** Fault codes that it may end with; empty where it must get its answer through. */
  ends: readonly string[];
  /** Uses a lot of something, so that it is called more often. */
  heavy: boolean;
}

const CORPUS = path.resolve(import.meta.dirname, '../../sandbox/hostile');
const HEAVY = new Set<string>(['cpu-limit', 'startup-cpu-limit', 'heap-limit', 'sandbox-killed']);
/** A plugin that waits for ever need not keep its attacker waiting for ten seconds. */
const WALL_MS = 2_000;

/**
 * Payloads of `sandbox/hostile/` that a route can carry: `most` of them at most, evenly from all families. They are packed by hand and not by the bundler, which an
 * attacker would not use either: several of them crash it.
 */
export async function packHostilePlugins(most: number): Promise<HostilePlugin[]> {
  const plugins: HostilePlugin[] = [];
  const corpus = await readCorpus();
  const step = Math.max(1, corpus.length / most);
  for (const { name, attack } of corpus.filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step))) {
    const manifest = manifestOf(plugins.length + 1, attack);
    const job = attack.asks?.kind === 'schedule' ? attack.asks.name : 'job';
    const tar = await writeTar({
      [ARCHIVE_FILES.manifest]: JSON.stringify(manifest),
      [ARCHIVE_FILES.bundle]: `${behindRoute(job)}\n${attack.code}`,
    });
    const ends = Array.isArray(attack.ends) ? (attack.ends as string[]) : [];
    const heavy = ends.some((code) => HEAVY.has(code));
    plugins.push({ name, manifest, archive: gzipTar(tar), digest: sha256Hex(tar), ends, heavy });
  }
  return plugins;
}

async function readCorpus(): Promise<{ name: string; attack: Attack }[]> {
  const corpus: { name: string; attack: Attack }[] = [];
  for (const file of readdirSync(CORPUS, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const source = path.join(CORPUS, file);
    // Not every file there is a payload, and programs among them must not be started by looking at them.
    if (!/satisfies Attack\b/.test(readFileSync(source, 'utf8'))) continue;
    const { default: attack } = (await import(source)) as { default: Attack };
    const kind = attack.asks?.kind ?? 'schedule';
    if (kind === 'http' || kind === 'schedule') corpus.push({ name: file.slice(0, -'.ts'.length), attack });
  }
  return corpus;
}

const manifestOf = (number: number, { that, limits }: Attack): Manifest => ({
  name: `hostile-${number}`,
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme-labs',
  title: 'Hostile',
  description: `A plugin that ${that}`.slice(0, 300),
  category: 'utilities',
  entry: 'index.js',
  engine: '^0.1.0',
  capabilities: [
    { name: 'kv', reason: 'Here only to be abused.' },
    { name: 'log', reason: 'Here only to be flooded.' },
  ],
  routes: [{ method: 'POST', path: '/attack', access: 'caller' }],
  limits: { wallMs: WALL_MS, ...limits },
  pricing: { model: 'free' },
});

/** One line before a payload, which is a whole bundle with a job or a route: what it defines is called by a route. */
const behindRoute = (job: string): string =>
  `{ const define = globalThis.__gatehouse_define; Object.defineProperty(globalThis, '__gatehouse_define', { configurable: true, writable: true, value: (attack) => define({ routes: { 'POST /attack': async (request, ctx) => { const run = attack.schedule?.[${JSON.stringify(job)}]; return (run ? await run({ name: 'job', dueAt: '' }, ctx) : await Object.values(attack.routes)[0](request, ctx)) ?? null; } } }) }); }`;
