import { mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';
import { type Build, keptBuild, loadBundler, ROOT } from '../plugins-sdk/kept-build.ts';

const HERE = import.meta.dirname;

/** The code of cordons as plain JavaScript. */
export interface CordonCode {
  /** Nobody else can look into it. It goes when this process ends. */
  folder: string;
  /** What a cordon starts with. */
  main: string;
  /** Files that it reads besides those in `folder`: the engine. */
  readable: string[];
  /** Call it now and then: machines throw away temporary files that look forgotten, and spares are started for as long as the host lives. */
  keep(): void;
}

const require = createRequire(import.meta.url);
const ENGINE_NAMESPACE = 'engine';
const ENGINE = dirname(realpathSync(require.resolve('isolated-vm/package.json')));

/** The engine stays where it is, and is looked for here: a cordon need not search for what fits this machine. */
function engineAt(file: string): Plugin {
  return {
    name: 'engine',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^isolated-vm$/ }, () => ({ path: file, namespace: ENGINE_NAMESPACE }));
      onResolve({ filter: /./, namespace: ENGINE_NAMESPACE }, () => ({ path: file, external: true }));
      onLoad({ filter: /./, namespace: ENGINE_NAMESPACE }, () => ({
        contents: `module.exports = require(${JSON.stringify(file)}).ivm;`,
      }));
    },
  };
}

const bundled = new Map<number, Promise<CordonCode>>();

/**
 * Makes three files of everything that a cordon runs: the main thread, a lane, and piscina's worker. A cordon then reads no TypeScript, no
 * package and nothing of the contract that it does not need: its start takes 0.1 s of CPU time instead of 0.23. And it may read nothing else
 * either. Built once, in 0.1 s (kept-build.ts). With `profileMs` lanes profile themselves for so long; without, the code for that is left out.
 */
export function bundleCordon(profileMs = 0): Promise<CordonCode> {
  let code = bundled.get(profileMs);
  if (!code) {
    code = bundle(profileMs).catch((error) => {
      bundled.delete(profileMs);
      throw error;
    });
    bundled.set(profileMs, code);
  }
  return code;
}

async function bundle(profileMs: number): Promise<CordonCode> {
  // For its owner alone, like everything that mkdtemp makes; a cordon loads it before it becomes somebody else.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-cordon-')));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const findNative = createRequire(join(ENGINE, 'package.json'))('node-gyp-build') as { path(folder: string): string };
  const engine = realpathSync(findNative.path(ENGINE));
  const texts = await keptBuild('cordon', { HERE, engine, profileMs }, () => build(engine, profileMs));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const kept = [folder, ...Object.keys(texts).map((name) => join(folder, name))];
  const keep = () => {
    const now = new Date();
    for (const path of kept) utimesSync(path, now, now);
  };
  return { folder, main: join(folder, 'cordon.js'), readable: [engine, join(ENGINE, 'package.json')], keep };
}

async function build(engine: string, profileMs: number): Promise<Build> {
  const bundler = await loadBundler();
  const { outputFiles, metafile } = await bundler.build({
    entryPoints: {
      cordon: join(HERE, 'cordon.ts'),
      lane: join(HERE, 'lane.ts'),
      // piscina looks for it beside itself, by this name.
      worker: join(dirname(require.resolve('piscina')), 'worker.js'),
    },
    absWorkingDir: ROOT,
    outdir: HERE,
    write: false,
    metafile: true,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: `node${process.versions.node}`,
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    define: {
      // Packages are looked for where they lie.
      'import.meta.url': JSON.stringify(pathToFileURL(join(HERE, 'cordon.ts')).href),
      PROFILE_MS: String(profileMs),
    },
    plugins: [engineAt(engine)],
    // piscina does without where it is not there; it is for priorities of threads, which nobody asks for.
    external: ['@napi-rs/nice'],
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  const files = Object.keys(metafile.inputs).filter((name) => !name.startsWith(`${ENGINE_NAMESPACE}:`));
  return {
    texts: Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path), text])),
    inputs: [relative(ROOT, import.meta.filename), ...files],
  };
}
