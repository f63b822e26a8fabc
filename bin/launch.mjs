#!/usr/bin/env node
// The first program that a fresh checkout runs: plain JavaScript for Node.js >= 18, without dependencies, because
// nothing is installed yet. It makes sure of the runtime and of the dependencies, then hands over and stays out of the way.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { areDependenciesCurrent, installDependencies } from './launch/dependencies.mjs';
import { Interrupted, LaunchError } from './launch/errors.mjs';
import { endBySignal, handOver } from './launch/hand-over.mjs';
import { HOST_FLAGS } from './launch/host-flags.mjs';
import { withInstallLock } from './launch/install-lock.mjs';
import { say } from './launch/progress.mjs';
import { findRuntime, installRuntime } from './launch/runtime.mjs';

const COMMANDS = {
  demo: [...HOST_FLAGS, 'bin/gatehouse.ts', 'demo'],
  test: ['bin/test.ts'],
  check: ['bin/test.ts', 'check'],
  bench: ['bin/bench.ts'],
  soak: ['bin/soak.ts'],
  wpt: ['bin/wpt.ts'],
  gatehouse: [...HOST_FLAGS, 'bin/gatehouse.ts'],
  gate: ['bin/gate.ts'],
};

/** Installs what is missing; resolves with the Node.js to use. Does nothing, quickly, when everything is there. */
async function ensureReady(root) {
  const runtime = findRuntime(root);
  if (runtime !== null && areDependenciesCurrent(root)) return runtime;
  return withInstallLock(root, async () => {
    const ready = findRuntime(root) ?? (await installRuntime(root));
    if (!areDependenciesCurrent(root)) await installDependencies(root);
    return ready;
  });
}

function fail(error) {
  if (error instanceof Interrupted) return endBySignal(error.signal);
  const known = { ENOSPC: 'the disk is full', EACCES: 'permission denied', EROFS: 'the file system is read-only' };
  const sentence = known[error.code] ? `Cannot use ${error.path}: ${known[error.code]}.` : error.message;
  say(`gatehouse: ${sentence}`);
  process.exit(1);
}

async function main(root, [command, ...args]) {
  if (!Object.hasOwn(COMMANDS, command ?? '')) {
    say(`Usage: node bin/launch.mjs <${Object.keys(COMMANDS).join('|')}> [arguments]`);
    process.exit(2);
  }
  if (Number(process.versions.node.split('.')[0]) < 18) {
    throw new LaunchError(
      `Node.js ${process.versions.node} is too old to install Gatehouse: take Node.js 20 or newer.`,
    );
  }
  const scriptAt = COMMANDS[command].findIndex((word) => !word.startsWith('--'));
  const flags = COMMANDS[command].slice(0, scriptAt);
  const [script, ...fixed] = COMMANDS[command].slice(scriptAt);
  const runtime = await ensureReady(root);
  if (!fs.existsSync(path.join(root, script)))
    throw new LaunchError(`${script} is missing: the checkout is incomplete.`);
  const cacheFolder = path.join(root, '.runtime', 'compile-cache');
  handOver(runtime, [...flags, path.join(root, script), ...fixed, ...args], cacheFolder, fail);
}

main(path.dirname(path.dirname(fs.realpathSync(fileURLToPath(import.meta.url)))), process.argv.slice(2)).catch(fail);
