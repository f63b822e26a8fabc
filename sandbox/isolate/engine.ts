import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** isolated-vm <= 7.0.0 has a published escape. */
const SAFE_VERSION = [7, 0, 1];

/** Whether `version` is one without a known escape. A pre-release of the first safe version is not. */
export function isSafeEngine(version: string): boolean {
  const match = /^(\d+)\.(\d+)\.(\d+)(-.+)?$/.exec(version);
  if (!match) return false;
  const parts = match.slice(1, 4).map(Number);
  for (const [place, least] of SAFE_VERSION.entries()) {
    if (parts[place] !== least) return parts[place]! > least;
  }
  return match[4] === undefined;
}

/** Throws where the engine must not run hostile code: a known-vulnerable isolated-vm, or a Node snapshot in the way. */
export function assertEngine(): void {
  const file = createRequire(import.meta.url).resolve('isolated-vm/package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  if (!isSafeEngine(version)) {
    throw new Error(`isolated-vm ${version} has a known escape: install ${SAFE_VERSION.join('.')} or later`);
  }
  if (!process.execArgv.includes('--no-node-snapshot')) {
    throw new Error('isolated-vm needs a process that was started with --no-node-snapshot');
  }
}
