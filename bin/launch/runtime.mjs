import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { LaunchError } from './errors.mjs';
import { runNpm } from './npm.mjs';
import { readText } from './read-file.mjs';

/** Lines of Node.js that isolated-vm ships binaries for, with the first minor version that runs TypeScript natively. */
const RUNTIME_LINES = { 24: 15, 26: 0 };
/** Where both isolated-vm and embedded PostgreSQL have binaries. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64'];

/** Whether this version of Node.js can run Gatehouse. */
export function isRuntimeSupported(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return Object.hasOwn(RUNTIME_LINES, major) && minor >= RUNTIME_LINES[major];
}

const pinnedVersion = (root) => (readText(path.join(root, '.node-version')) ?? '').trim().replace(/^v/, '');
const runtimeBinary = (root) =>
  path.join(root, `.runtime/node_modules/node-${process.platform}-${process.arch}/bin/node`);
const runtimeStamp = (root) => path.join(root, '.runtime/ready');

/** The Node.js to hand over to, or null where one must be installed first. A pinned one in `.runtime` wins. */
export function findRuntime(root) {
  const binary = runtimeBinary(root);
  const pinned = pinnedVersion(root);
  if (fs.existsSync(binary)) {
    if (readText(runtimeStamp(root)) === pinned) return binary;
    // No stamp: an interrupted install, or one made by hand. Ask the binary itself, once.
    const answer = spawnSync(binary, ['--version'], { encoding: 'utf8' });
    if (answer.status === 0 && answer.stdout.trim() === `v${pinned}`) {
      fs.writeFileSync(runtimeStamp(root), pinned);
      return binary;
    }
  }
  return isRuntimeSupported(process.versions.node) ? process.execPath : null;
}

/** Installs the pinned Node.js from the npm registry; resolves with its path. */
export async function installRuntime(root) {
  const platform = `${process.platform}-${process.arch}`;
  const pinned = pinnedVersion(root);
  if (!PLATFORMS.includes(platform)) {
    throw new LaunchError(`Gatehouse does not run on ${platform}; it runs on ${PLATFORMS.join(', ')}.`);
  }
  if (process.platform === 'linux' && process.report?.getReport().header.glibcVersionRuntime === undefined) {
    throw new LaunchError(
      `This system uses musl, for which npm has no Node.js ${pinned}: install Node.js ${pinned} yourself and run this again.`,
    );
  }
  const folder = path.join(root, '.runtime');
  fs.rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const wanted = `node-${platform}@${pinned}`;
  const flags = ['--ignore-scripts', '--no-save', '--no-package-lock', '--prefix', folder];
  await runNpm(
    root,
    ['install', ...flags, wanted],
    `Node.js ${pinned} into .runtime/ (this machine runs ${process.version})`,
  );
  const runtime = findRuntime(root);
  if (runtime === null) {
    throw new LaunchError(
      `Node.js ${pinned} was installed into .runtime/ but does not run on this machine (${platform}).`,
    );
  }
  return runtime;
}
