import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TransformFailure, transform } from 'esbuild';
import { isTooDeep, TOO_DEEP } from '../bundling/refuse-deep-sources.ts';
import { ARCHIVE_FILES, checkManifest, type Manifest } from '../contract/index.ts';
import { CliError } from './errors.ts';

/** The folder of one plugin, as its author has it. */
export interface Project {
  folder: string;
  manifest: Manifest;
  /** With line ends as `\n`; null where there is none. */
  readme: string | null;
}

/**
 * Reads a plugin's manifest and README. Refuses with: manifest-missing, manifest-invalid (all faults, with pointers),
 * file-unreadable.
 */
export async function loadProject(folder: string): Promise<Project> {
  const path = join(folder, ARCHIVE_FILES.manifest);
  const text = await readText(path);
  if (text === null) {
    throw new CliError(
      'manifest-missing',
      `There is no ${ARCHIVE_FILES.manifest} in ${folder}. Start one with: gate init`,
    );
  }
  const checked = checkManifest(await parseManifest(text, path));
  if (!checked.ok) {
    const count = checked.faults.length === 1 ? 'a fault' : `${checked.faults.length} faults`;
    throw new CliError('manifest-invalid', `${path} has ${count}.`, { path, faults: checked.faults });
  }
  return { folder, manifest: checked.value, readme: await readText(join(folder, ARCHIVE_FILES.readme)) };
}

/** Null where there is no such file. A byte order mark and `\r\n` do not make another text. */
export async function readText(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\ufeff/, '').replace(/\r\n/g, '\n');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw new CliError('file-unreadable', `${path} cannot be read: ${(error as Error).message}`, { path });
  }
}

async function parseManifest(text: string, path: string): Promise<unknown> {
  if (isTooDeep(text)) throw new CliError('manifest-invalid', `${path} ${TOO_DEEP}.`, { path });
  try {
    return JSON.parse(text);
  } catch (error) {
    const fault = await findJsonFault(text);
    const message = fault === null ? (error as Error).message : `${fault.place}: ${fault.reason}`;
    throw new CliError('manifest-invalid', `${path} is not JSON.`, { path, faults: [{ pointer: '', message }] });
  }
}

/** JSON.parse does not say where; the bundler's reader does. */
export async function findJsonFault(text: string): Promise<{ place: string; reason: string } | null> {
  const failure = await transform(text, { loader: 'json', logLevel: 'silent' }).then(
    () => null,
    ({ errors }: TransformFailure) => errors?.[0],
  );
  if (!failure?.location) return null;
  const { line, column } = failure.location;
  return { place: `line ${line}, column ${column + 1}`, reason: failure.text };
}
