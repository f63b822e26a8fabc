import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildFailure, type BuildResult, build, type Message, type Plugin } from 'esbuild';
import { BUNDLE_BYTES_MAX, type Manifest } from './contract/index.ts';

/** One thing that the bundler says, with its place in the plugin's folder. */
export interface BundleMessage {
  text: string;
  file?: string;
  /** From 1. */
  line?: number;
  /** From 1. */
  column?: number;
}

export interface PluginBundle {
  /** One script for the sandbox. The same sources give the same text in every folder and on every machine. */
  code: string;
  /** Source map v3 with the sources' contents; its paths are relative to the plugin's folder. */
  sourceMap: string;
  warnings: BundleMessage[];
}

/** The sources cannot become a bundle; `faults` says every reason that was found. */
export class BundleRefused extends Error {
  override name = 'BundleRefused';
  readonly faults: BundleMessage[];
  constructor(faults: BundleMessage[]) {
    super(faults.map(showMessage).join('\n'));
    this.faults = faults;
  }
}

/** `src/index.ts:3:7: text` */
export const showMessage = ({ file, line, column, text }: BundleMessage): string =>
  [file, line, column].filter((part) => part !== undefined).join(':') + (file === undefined ? text : `: ${text}`);

const SDK_FILE = fileURLToPath(new URL('./define-plugin.ts', import.meta.url));
const SDK_NAMES = /^@gatehouse\/plugin-sdk$/;
const ENTRY_NAME = 'gatehouse:entry';

/**
 * Bundles the entry of a plugin and everything it imports into one readable IIFE (ES2024), which hands the definition to
 * the guest runtime. Nothing is minified: moderators read what will run.
 * Refuses with BundleRefused: entry missing, syntax errors, unresolved imports, built-ins of Node.js, code over BUNDLE_BYTES_MAX.
 */
export async function bundlePlugin(source: {
  folder: string;
  manifest: Pick<Manifest, 'entry'>;
}): Promise<PluginBundle> {
  const folder = resolve(source.folder);
  const entry = resolve(folder, source.manifest.entry);
  if (!existsSync(entry)) {
    throw new BundleRefused([{ text: `entry "${source.manifest.entry}" does not exist`, file: 'gatehouse.json' }]);
  }
  const built = await runEsbuild(folder, source.manifest.entry);
  const inputs = Object.keys(built.metafile.inputs);
  const [code, sourceMap] = ['.js', '.map'].map(
    (end) => built.outputFiles.find(({ path }) => path.endsWith(end))!.text,
  );
  const bundle = { code: withoutOuterPaths(code!, inputs), sourceMap: withPortableSources(sourceMap!) };
  const bytes = Buffer.byteLength(bundle.code);
  if (bytes > BUNDLE_BYTES_MAX) throw new BundleRefused([tooLarge(bytes, built.metafile)]);
  return { ...bundle, warnings: built.warnings.map(toMessage) };
}

type Built = BuildResult<{ write: false; metafile: true }>;

function runEsbuild(folder: string, entry: string): Promise<Built> {
  const tsconfig = join(folder, 'tsconfig.json');
  return build({
    stdin: {
      contents: `import plugin from ${JSON.stringify(`./${entry}`)};\nglobalThis.__gatehouse_define(plugin);\n`,
      resolveDir: folder,
      sourcefile: ENTRY_NAME,
      loader: 'js',
    },
    absWorkingDir: folder,
    outfile: join(folder, 'bundle.js'),
    write: false,
    metafile: true,
    bundle: true,
    format: 'iife',
    target: 'es2024',
    platform: 'browser',
    conditions: ['worker'],
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: 'external',
    treeShaking: true,
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    loader: { '.txt': 'text', '.md': 'text', '.html': 'text', '.css': 'text', '.svg': 'text' },
    // A tsconfig.json above the folder would make the output depend on where the folder lies.
    ...(existsSync(tsconfig) ? { tsconfig } : { tsconfigRaw: '{}' }),
    plugins: [resolveSdk, refuseBuiltIns(folder)],
    logLevel: 'silent',
  }).catch((failure: BuildFailure) => {
    if (!Array.isArray(failure.errors)) throw failure;
    throw new BundleRefused(failure.errors.map(toMessage));
  }) as Promise<Built>;
}

/** The SDK lies elsewhere on every machine, so it enters the bundle under a fixed name. */
const resolveSdk: Plugin = {
  name: 'resolve-sdk',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: SDK_NAMES }, () => ({
      path: 'define-plugin.ts',
      namespace: 'gatehouse-sdk',
      sideEffects: false,
    }));
    onLoad({ filter: /.*/, namespace: 'gatehouse-sdk' }, () => ({
      contents: readFileSync(SDK_FILE, 'utf8'),
      loader: 'ts',
    }));
  },
};

const BUILT_INS = new Set(builtinModules.filter((name) => !name.startsWith('_')));

/** A package of the same name, such as `events`, is preferred where the plugin depends on one. */
const refuseBuiltIns = (folder: string): Plugin => ({
  name: 'refuse-built-ins',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^[a-z@]/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === SEEN) return undefined;
      const name = path.replace(/^node:/, '');
      if (!path.startsWith('node:') && !BUILT_INS.has(name.replace(/\/$/, ''))) return undefined;
      const resolved = path.startsWith('node:')
        ? null
        : await esbuild.resolve(path, { importer, resolveDir, kind, pluginData: SEEN });
      if (resolved && resolved.errors.length === 0) return resolved;
      const by = relative(folder, importer).split(sep).join('/');
      return {
        errors: [
          { text: `"${path}" belongs to Node.js and does not exist in the sandbox (imported by ${portable(by)})` },
        ],
      };
    });
  },
});
const SEEN = Symbol('resolved by refuse-built-ins');

const toMessage = ({ text, location }: Message): BundleMessage => ({
  text,
  ...(location ? { file: portable(location.file), line: location.line, column: location.column + 1 } : {}),
});

/** A path below the folder stays; one outside it is named from its last node_modules on, or without its way up. */
function portable(path: string): string {
  const at = path.lastIndexOf('node_modules/');
  return path.startsWith('..') || path.startsWith('/')
    ? at >= 0
      ? path.slice(at)
      : path.replace(/^(?:\.\.\/)+|^\/+/, '')
    : path;
}

/**
 * esbuild names files outside the folder by their way up from it, in comments and in CommonJS wrappers. Both stand on
 * lines that no mapping points into, so that they can be rewritten without touching the source map.
 */
function withoutOuterPaths(code: string, inputs: string[]): string {
  const outer = inputs.filter((path) => portable(path) !== path);
  return outer.reduce(
    (text, path) =>
      text
        .replaceAll(`\n  // ${path}\n`, `\n  // ${portable(path)}\n`)
        .replaceAll(`\n    ${JSON.stringify(path)}(`, `\n    ${JSON.stringify(portable(path))}(`),
    code,
  );
}

function withPortableSources(sourceMap: string): string {
  const map = JSON.parse(sourceMap) as { sources: string[] };
  return JSON.stringify({ ...map, sources: map.sources.map(portable) });
}

function tooLarge(bytes: number, metafile: Built['metafile']): BundleMessage {
  const parts = Object.entries(Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint)?.inputs ?? {})
    .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    .slice(0, 3)
    .map(([path, { bytesInOutput }]) => `${portable(path)} (${bytesInOutput} bytes)`);
  return {
    text: `the bundle has ${bytes} bytes; at most ${BUNDLE_BYTES_MAX} are allowed. Its largest parts: ${parts.join(', ')}`,
  };
}
