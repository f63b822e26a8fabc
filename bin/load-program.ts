import { hash } from 'node:crypto';
import { accessSync, constants, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import module from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';
import { keptBuild, loadBundler, ROOT, stopBundler } from '../plugins-sdk/kept-build.ts';

/**
 * The module of a program, such as `host/command-line.ts`, as one file with the packages that it always needs: to look for 2,000 files and
 * load each takes twice as long (benchmarks/README.md). Made in two seconds when one of them has changed, and kept as long as none has
 * (kept-build.ts). Where nothing can be kept or made, the program is loaded as it lies there.
 */
export async function loadProgram<Program>(
  entry: string,
  fromSources: () => Promise<Program>,
  folder = module.getCompileCacheDir(),
): Promise<Program> {
  const bundle = folder ? await bundleOf(entry, folder).catch(() => null) : null;
  if (bundle === null) return fromSources();
  // Frames of stacks name our sources, whatever was made of them.
  module.setSourceMapsSupport(true);
  return module.createRequire(bundle)(bundle);
}

/** Where the program lies as one file. */
async function bundleOf(entry: string, folder: string): Promise<string> {
  // One name for good: what Node.js keeps of it is found by its name.
  const name = `program-${hash('sha256', path.join(ROOT, entry)).slice(0, 16)}.cjs`;
  const file = path.join(folder, name);
  const make = async () => {
    // Not made for nothing, every time.
    accessSync(folder, constants.W_OK);
    const { code, map, inputs } = await bundle(entry, file);
    writeWhole(`${file}.map`, map);
    writeWhole(file, code);
    return { texts: { digest: hash('sha256', code) }, inputs };
  };
  try {
    const { digest } = await keptBuild('program', { ROOT, entry }, make, folder);
    // Somebody else made it of what was there before.
    if (hash('sha256', readFileSync(file)) !== digest) await make();
    return file;
  } finally {
    await stopBundler();
  }
}

function writeWhole(file: string, content: Uint8Array | string): void {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, content, { mode: 0o600 });
  renameSync(unfinished, file);
}

async function bundle(entry: string, outfile: string) {
  const { build } = await loadBundler();
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: ROOT,
    outfile,
    write: false,
    metafile: true,
    bundle: true,
    // What packages expect that are no modules is there.
    format: 'cjs',
    platform: 'node',
    target: `node${process.versions.node}`,
    // Half of it is indentation, which would be read and kept too.
    minifyWhitespace: true,
    lineLimit: 200,
    legalComments: 'none',
    sourcemap: 'linked',
    sourcesContent: false,
    plugins: [stayBehind, keepPlaces],
    tsconfigRaw: '{}',
    logLevel: 'silent',
  });
  const [map, code] = outputFiles;
  return {
    map: await mapOfOurs(map!.text),
    code: code!.contents,
    inputs: [path.relative(ROOT, import.meta.filename), ...Object.keys(metafile.inputs).filter(isOurs)],
  };
}

/** Node.js reads it whole with the program; three quarters of it are packages, of which nobody wants to see the sources. */
async function mapOfOurs(text: string): Promise<string> {
  const { decodedMappings, encodedMappings, TraceMap } = await import('@jridgewell/trace-mapping');
  const map = JSON.parse(text) as { version: 3; sources: string[]; names: string[]; mappings: string };
  let within = false;
  const mappings = decodedMappings(new TraceMap(map)).map((line) =>
    line.flatMap((segment) => {
      const before = within;
      within = segment.length > 1 && isOurs(map.sources[segment[1]!]!);
      if (within) return [segment];
      return before ? [[segment[0]] as [number]] : [];
    }),
  );
  return JSON.stringify({ ...map, mappings: encodedMappings(new TraceMap({ ...map, mappings })) });
}

const isOurs = (file: string): boolean => !file.includes('node_modules');

/** Native code, and what is asked for from within packages at once as well as when it is first used: it would be there twice. */
const STAYING = ['bcrypt', 'esbuild', 'bullmq', 'ioredis'];

/**
 * Packages that are loaded when they are first used stay where they are, and what is not there is asked for when it is needed: packages name
 * some that nobody needs, such as the drivers of other databases.
 */
const stayBehind: Plugin = {
  name: 'stay-behind',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^[^./]/ }, async ({ path: name, kind, importer, resolveDir, pluginData }) => {
      if (pluginData === stayBehind || module.isBuiltin(name)) return;
      const found = await resolve(name, { kind, importer, resolveDir, pluginData: stayBehind });
      if (found.errors.length > 0) return { path: name, external: true };
      if (kind === 'dynamic-import') return { path: pathToFileURL(found.path).href, external: true };
      return STAYING.includes(name) ? { path: found.path, external: true } : found;
    });
  },
};

/** Files find what lies beside them as if each were still where it was. */
const keepPlaces: Plugin = {
  name: 'keep-places',
  setup({ onLoad, esbuild }) {
    onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const text = await readFile(file, 'utf8');
      if (!text.includes('import.meta')) return;
      const places = { dirname: path.dirname(file), filename: file, url: pathToFileURL(file).href, main: false };
      const { code } = await esbuild.transform(text, {
        loader: 'ts',
        sourcefile: file,
        sourcemap: 'inline',
        sourcesContent: false,
        define: Object.fromEntries(
          Object.entries(places).map(([name, value]) => [`import.meta.${name}`, JSON.stringify(value)]),
        ),
      });
      return { contents: code };
    });
  },
};
