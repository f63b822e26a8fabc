import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildFailure, type BuildResult, build, type Message, type Plugin, stop } from 'esbuild';
import { type BundlePart, partsOf, SDK_NAMESPACE } from './bundling/bundle-parts.ts';
import { type BundledPackage, packagesOf } from './bundling/bundled-packages.ts';
import { importChain } from './bundling/import-chain.ts';
import { leaveNativeFiles, NATIVE_PREFIX, nativePackages } from './bundling/native-code.ts';
import { adviceFor, builtInName, leaveBuiltIns } from './bundling/node-built-ins.ts';
import { packageOf, portable } from './bundling/portable-path.ts';
import { refuseDeepSources } from './bundling/refuse-deep-sources.ts';
import { BUNDLE_BYTES_MAX, type Manifest } from './contract/index.ts';

/** One thing that the bundler says, with its place in the plugin's folder. */
export interface BundleMessage {
  text: string;
  file?: string;
  /** From 1. */
  line?: number;
  /** From 1. */
  column?: number;
  /** Who imports whom, from the plugin's entry to the file that is at fault. */
  chain?: string[];
}

export interface PluginBundle {
  /** One script for the sandbox. The same sources give the same text in every folder and on every machine. */
  code: string;
  /** Source map v3 with the sources' contents; its paths are relative to the plugin's folder. */
  sourceMap: string;
  warnings: BundleMessage[];
  /** What of each file is in the code, the largest first. */
  parts: BundlePart[];
  packages: BundledPackage[];
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
 * the guest runtime. Nothing is minified: moderators read what will run. What nothing uses is left out, and may want
 * whatever it likes.
 * Refuses with BundleRefused: entry missing, syntax errors, unresolved imports, built-ins of Node.js, native code, sources
 * too deep for the bundler, code over BUNDLE_BYTES_MAX.
 */
export async function bundlePlugin(source: {
  folder: string;
  manifest: Pick<Manifest, 'entry'>;
}): Promise<PluginBundle> {
  if (!existsSync(resolve(source.folder, source.manifest.entry))) {
    throw new BundleRefused([{ text: `entry "${source.manifest.entry}" does not exist`, file: 'gatehouse.json' }]);
  }
  // esbuild follows links: seen from a link to the folder, its own files would lie outside of it, at a path of this machine.
  const folder = realpathSync(resolve(source.folder));
  const built = await runEsbuild(folder, source.manifest.entry);
  const inputs = Object.keys(built.metafile.inputs);
  const parts = partsOf(built.metafile, ENTRY_NAME);
  const native = nativeFaults(folder, built.metafile);
  if (native.length > 0) throw new BundleRefused(native);
  const [code, sourceMap] = ['.js', '.map'].map(
    (end) => built.outputFiles.find(({ path }) => path.endsWith(end))!.text,
  );
  const bundle = { code: withoutOuterPaths(code!, inputs), sourceMap: withPortableSources(sourceMap!) };
  const bytes = Buffer.byteLength(bundle.code);
  if (bytes > BUNDLE_BYTES_MAX) throw new BundleRefused([tooLarge(bytes, parts)]);
  const packages = packagesOf(built.metafile, folder);
  return { ...bundle, warnings: built.warnings.map(toMessage), parts, packages };
}

type Built = BuildResult<{ write: false; metafile: true }>;
type Metafile = Built['metafile'];

/**
 * Built-ins that are left after tree shaking are looked for in a second build: what is optional, by a `try` around its
 * `require`, passes there, and everything else gets its place in the sources.
 */
async function runEsbuild(folder: string, entry: string): Promise<Built> {
  const shaken = await runOnce(folder, entry, new Set()).catch(refuseWith(toMessage));
  const outside = Object.values(shaken.metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  const wanted = new Set(outside.flatMap((path) => builtInName(path) ?? []));
  if (wanted.size === 0) return shaken;
  const present = new Set(partsOf(shaken.metafile, ENTRY_NAME).map(({ file }) => file));
  return runOnce(folder, entry, wanted).catch(
    refuseWith((message) => {
      const fault = toMessage(message);
      const specifier = /^Could not resolve "(.+)"/.exec(message.text)?.[1] ?? '';
      if (builtInName(specifier) === null) return fault;
      return present.has(fault.file ?? '') ? builtInFault(folder, shaken.metafile, fault, specifier) : null;
    }),
  );
}

/** Where nothing is left to say, the failure itself is: it has a reason that is not the plugin's. */
const refuseWith =
  (show: (message: Message) => BundleMessage | null) =>
  (failure: BuildFailure | Error): never => {
    if (!('errors' in failure) || !Array.isArray(failure.errors)) throw failure;
    const faults = failure.errors.flatMap((message: Message) => show(message) ?? []);
    throw faults.length === 0 ? failure : new BundleRefused(faults);
  };

function builtInFault(folder: string, metafile: Metafile, fault: BundleMessage, specifier: string): BundleMessage {
  const path = Object.keys(metafile.inputs).find((input) => portable(input) === fault.file)!;
  const { shown, chain } = chainTo(metafile, path);
  const [native] = nativePackages(folder, [path]);
  const nature = native === undefined ? '' : ` The package ${native.name} is native code: ${native.reason}.`;
  const advice = native === undefined ? adviceFor(builtInName(specifier)!) : '';
  const text = `"${specifier}" belongs to Node.js and does not exist in the sandbox. Imported by ${shown}.${nature}`;
  return { ...fault, text: advice === '' ? text : `${text} ${advice}`, chain };
}

function chainTo(metafile: Metafile, path: string): { shown: string; chain: string[] } {
  const chain = importChain(metafile, ENTRY_NAME, path).slice(1).map(portable);
  return { shown: chain.join(' → ') || portable(path), chain };
}

/** What of a native package is in the bundle cannot do without what is not: its compiled part. */
function nativeFaults(folder: string, metafile: Metafile): BundleMessage[] {
  const present = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const packages = nativePackages(folder, present).map(({ name, reason, file }) => {
    const { shown, chain } = chainTo(metafile, file);
    const text = `The package ${name} is native code (${reason}), which the sandbox never runs. Imported by ${shown}.`;
    return { text, file: packageOf(portable(file))!.folder, chain };
  });
  if (packages.length > 0) return packages;
  return present.flatMap((path) =>
    (metafile.inputs[path]?.imports ?? []).filter(isNativeFile).map((imported) => {
      const { shown, chain } = chainTo(metafile, path);
      const name = imported.path.slice(NATIVE_PREFIX.length);
      return {
        text: `"${name}" is native code, which the sandbox never runs. Imported by ${shown}.`,
        file: portable(path),
        chain,
      };
    }),
  );
}

const isNativeFile = ({ path, external }: { path: string; external?: boolean }): boolean =>
  external === true && path.startsWith(NATIVE_PREFIX);

/** Its process died, as it does of sources that overflow its stack. The next build gets another. */
const GONE = /^The service (?:was stopped|is no longer running)/;

async function runOnce(folder: string, entry: string, resolved: ReadonlySet<string>): Promise<Built> {
  const tsconfig = join(folder, 'tsconfig.json');
  try {
    return (await build({
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
      plugins: [resolveSdk, leaveBuiltIns(resolved), leaveNativeFiles, refuseDeepSources],
      logLevel: 'silent',
    })) as Built;
  } catch (error) {
    if (!GONE.test((error as Error).message)) throw error;
    await stop();
    throw new BundleRefused([
      { text: 'The bundler died of these sources: something in them nests too deeply, or is far too large.' },
    ]);
  }
}

/** The SDK lies elsewhere on every machine, so it enters the bundle under a fixed name. */
const resolveSdk: Plugin = {
  name: 'resolve-sdk',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: SDK_NAMES }, () => ({
      path: 'define-plugin.ts',
      namespace: SDK_NAMESPACE,
      sideEffects: false,
    }));
    onLoad({ filter: /.*/, namespace: SDK_NAMESPACE }, () => ({
      contents: readFileSync(SDK_FILE, 'utf8'),
      loader: 'ts',
    }));
  },
};

const UNRESOLVED_PACKAGE = /^Could not resolve "((?:@[^/"]+\/)?[^./"][^/"]*)[^"]*"$/;

const NO_DEFAULT = /^No matching export in "(.+)" for import "default"$/;

function toMessage({ text, location }: Message): BundleMessage {
  const [, entry] = (location?.file === ENTRY_NAME && NO_DEFAULT.exec(text)) || [];
  // The import that fails is ours, in a file that its author does not have.
  if (entry) return { text: 'exports no plugin; it needs: export default definePlugin({ … })', file: entry };
  return {
    text: text.replace(UNRESOLVED_PACKAGE, '$&. Is the package there? npm install $1'),
    ...(location ? { file: portable(location.file), line: location.line, column: location.column + 1 } : {}),
  };
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

function tooLarge(bytes: number, parts: BundlePart[]): BundleMessage {
  const largest = parts.slice(0, 3).map(({ file, bytes: part }) => `${file} (${part} bytes)`);
  return {
    text: `the bundle has ${bytes} bytes; at most ${BUNDLE_BYTES_MAX} are allowed. Its largest parts: ${largest.join(', ')}`,
  };
}
