import { watch } from 'node:fs';

/** What is no source: dependencies, version control, archives, and what editors write beside a file. */
const IGNORED = /(?:^|[\\/])(?:node_modules|\.git|coverage)(?:[\\/]|$)|\.gpk$|~$|\.sw[a-z]$/;

/** One save is several events within a millisecond or two: write, rename, attributes. */
const SETTLE_MS = 8;

/**
 * Calls `onChange` soon after files below a folder have changed, were made or removed; several changes at once are one.
 * Returns what ends it. Based on the operating system's notifications: bundlers that poll need up to seconds.
 */
export function watchFolder(folder: string, onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(folder, { recursive: true, ignore: (name) => IGNORED.test(name) }, (_event, name) => {
    if (name !== null && IGNORED.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, SETTLE_MS);
  });
  // A watched folder that is removed must not end the session; the next request shows what is missing.
  watcher.on('error', () => {});
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
