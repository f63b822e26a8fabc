import { hash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import path from 'node:path';

/** The folder of the whole project. */
export const ROOT = path.resolve(import.meta.dirname, '..');
/** Says what is installed: a package that is replaced is resolved anew. */
const INSTALLED = 'node_modules/.package-lock.json';

/** What a bundler made. */
export interface Build {
  /** By the names of their files. */
  texts: Record<string, string>;
  /** Files that it read, relative to `ROOT`. */
  inputs: string[];
}

interface KeptBuild {
  texts: Record<string, string>;
  /** Files and their SHA-256, in hex. */
  inputs: [file: string, digest: string][];
}

let bundler: Promise<typeof import('esbuild')> | undefined;

/** Not loaded before something has to be built. */
export const loadBundler = (): Promise<typeof import('esbuild')> => {
  bundler ??= import('esbuild').catch((error) => {
    bundler = undefined;
    throw error;
  });
  return bundler;
};

/** Ends the bundler's process, if there is one; the next build starts it again. */
export const stopBundler = async (): Promise<void> => (await bundler)?.stop();

/**
 * What `build` makes of our own sources. Kept where Node.js keeps what it has compiled of them (`module.getCompileCacheDir()`; nothing is
 * kept where it keeps nothing), as long as `settings` and all files that were read are the same: a host is ready 0.3 s earlier. Whoever
 * could write there could write compiled code, too.
 */
export async function keptBuild(
  name: string,
  settings: object,
  build: () => Promise<Build>,
  folder = getCompileCacheDir(),
): Promise<Record<string, string>> {
  if (!folder) return (await build()).texts;
  const file = path.join(folder, `${name}-${digestOf(JSON.stringify(settings)).slice(0, 16)}.json`);
  const kept = readKept(file);
  if (kept !== null) return kept;
  const { texts, inputs } = await build();
  keep(file, texts, [...inputs, INSTALLED]);
  return texts;
}

const digestOf = (content: string | Buffer): string => hash('sha256', content);

/** Null where nothing is kept, or something has changed since. */
function readKept(file: string): Record<string, string> | null {
  try {
    const { texts, inputs } = JSON.parse(readFileSync(file, 'utf8')) as KeptBuild;
    const isSame = inputs.every(([input, digest]) => digestOf(readFileSync(path.join(ROOT, input))) === digest);
    return isSame ? texts : null;
  } catch {
    return null;
  }
}

/** Does without where the folder cannot be written, or a file was changed since this process began and may have loaded it. */
function keep(file: string, texts: Build['texts'], names: string[]): void {
  const unfinished = `${file}.${process.pid}`;
  try {
    const inputs = names.map((name): [string, string] => {
      const input = path.join(ROOT, name);
      const { mtimeMs } = statSync(input);
      if (mtimeMs >= performance.timeOrigin && mtimeMs <= Date.now()) throw new Error(`${name} was changed meanwhile`);
      return [name, digestOf(readFileSync(input))];
    });
    writeFileSync(unfinished, JSON.stringify({ texts, inputs } satisfies KeptBuild), { mode: 0o600 });
    renameSync(unfinished, file);
  } catch {
    rmSync(unfinished, { force: true });
  }
}
