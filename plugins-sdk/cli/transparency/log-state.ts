import { createPublicKey, type KeyObject } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CliError } from '../errors.ts';
import type { LogState } from './look-at-log.ts';

/** What was last seen of the log at an address: one file for each host. */
export const logStatePath = (configFolder: string, url: string): string =>
  join(configFolder, 'transparency', `${new URL(url).host.replaceAll(/[^a-zA-Z0-9.-]/g, '_')}.json`);

/** Null where there is none yet. Refuses with: settings-invalid: a damaged one is never taken for none. */
export async function readLogState(path: string): Promise<LogState | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new CliError('settings-invalid', `${path} cannot be read: ${error.message}`, { path });
  });
  if (text === null) return null;
  try {
    const state = JSON.parse(text) as LogState;
    createPublicKey(state.publicKeyPem);
    if (state.version !== 1 || !Array.isArray(state.peaks) || typeof state.head.size !== 'number') throw new Error();
    return state;
  } catch {
    throw new CliError(
      'settings-invalid',
      `${path} does not hold what was seen of a log. Restore it; without it a rewritten log cannot be noticed.`,
      { path },
    );
  }
}

/** Refuses with: file-unwritable. */
export async function writeLogState(path: string, state: unknown): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Written under another name first: what was seen is never half forgotten.
    await writeFile(`${path}.${process.pid}`, `${JSON.stringify(state, null, 2)}\n`);
    await rename(`${path}.${process.pid}`, path);
  } catch (error) {
    throw new CliError('file-unwritable', `${path} cannot be written: ${(error as Error).message}`, { path });
  }
}

/** Refuses with: file-unreadable, key-invalid. */
export async function readPublicKey(path: string): Promise<KeyObject> {
  const pem = await readFile(path, 'utf8').catch((error: Error) => {
    throw new CliError('file-unreadable', `${path} cannot be read: ${error.message}`, { path });
  });
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ed25519' && !/PRIVATE KEY/.test(pem)) return key;
  } catch {
    // Says the same as for a key of another type, below.
  }
  throw new CliError('key-invalid', `${path} is not an Ed25519 public key in PEM form.`, { path });
}
