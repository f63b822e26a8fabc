import { type FSWatcher, statSync, watch } from 'node:fs';
import { resolve } from 'node:path';
import { CliError } from './errors.ts';

/** What is no source: dependencies, version control, archives, and what editors write beside a file. */
const IGNORED = /(?:^|[\\/])(?:node_modules|\.git|coverage)(?:[\\/]|$)|\.gpk$|~$|\.sw[a-z]$/;

/** One save is several events within a millisecond or two: write, rename, attributes. */
const SETTLE_MS = 8;

/**
 * Calls `onChange` soon after files below a folder have changed, were made or removed; several changes at once are one.
 * Returns what ends it. Refuses with: file-unreadable. Based on the operating system's notifications: bundlers that poll need up to seconds.
 */
export function watchFolder(folder: string, onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onEvent = (_event: string, name: string | null) => {
    if (name !== null && IGNORED.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, SETTLE_MS);
  };
  const ignore = (name: string) => IGNORED.test(name) || leadsToItself(resolve(folder, name));
  let watcher: FSWatcher;
  try {
    watcher = watch(folder, { recursive: true, ignore }, onEvent);
  } catch (error) {
    throw new CliError('file-unreadable', `${folder} cannot be watched: ${(error as Error).message}`, { folder });
  }
  // A watched folder that is removed must not end the session; the next request shows what is missing.
  watcher.on('error', () => {});
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}

/** Node.js follows links, and throws for this one where nobody can catch it. */
function leadsToItself(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ELOOP';
  }
}
