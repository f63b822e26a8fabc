import { mkdtempSync, readdirSync, realpathSync, rmSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

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
const ENGINE = dirname(realpathSync(require.resolve('isolated-vm/package.json')));

/** The engine stays where it is, and is looked for here: a cordon need not search for what fits this machine. */
function engineAt(file: string): Plugin {
  return {
    name: 'engine',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^isolated-vm$/ }, () => ({ path: file, namespace: 'engine' }));
      onResolve({ filter: /./, namespace: 'engine' }, () => ({ path: file, external: true }));
      onLoad({ filter: /./, namespace: 'engine' }, () => ({
        contents: `module.exports = require(${JSON.stringify(file)}).ivm;`,
      }));
    },
  };
}

const bundled = new Map<number, Promise<CordonCode>>();

/**
 * Makes three files of everything that a cordon runs: the main thread, a lane, and piscina's worker. A cordon then reads no TypeScript, no
 * package and nothing of the contract that it does not need: its start takes 0.1 s of CPU time instead of 0.23. And it may read nothing else
 * either. Once per process, in 0.1 s. With `profileMs` lanes profile themselves for so long; without, the code for that is left out.
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
  await build({
    entryPoints: {
      cordon: join(HERE, 'cordon.ts'),
      lane: join(HERE, 'lane.ts'),
      // piscina looks for it beside itself, by this name.
      worker: join(dirname(require.resolve('piscina')), 'worker.js'),
    },
    outdir: folder,
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
      LANE_FILE: JSON.stringify(join(folder, 'lane.js')),
    },
    plugins: [engineAt(engine)],
    // piscina does without where it is not there; it is for priorities of threads, which nobody asks for.
    external: ['@napi-rs/nice'],
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  const kept = [folder, ...readdirSync(folder).map((name) => join(folder, name))];
  const keep = () => {
    const now = new Date();
    for (const path of kept) utimesSync(path, now, now);
  };
  return { folder, main: join(folder, 'cordon.js'), readable: [engine, join(ENGINE, 'package.json')], keep };
}
