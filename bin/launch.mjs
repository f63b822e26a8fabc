#!/usr/bin/env node
// The first program that a fresh checkout runs: plain JavaScript for Node.js >= 18, without dependencies, because
// nothing is installed yet. It makes sure of the runtime and of the dependencies, then hands over and stays out of the way.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const COMMANDS = {
  demo: ['bin/gatehouse.ts', 'demo'],
  test: ['bin/test.ts', 'all'],
  check: ['bin/test.ts', 'check'],
  bench: ['bin/bench.ts'],
  gatehouse: ['bin/gatehouse.ts'],
  gate: ['bin/gate.ts'],
};

/** Lines of Node.js that isolated-vm ships binaries for, with the first minor version that runs TypeScript natively. */
const RUNTIME_LINES = { 24: 15, 26: 0 };
/** Where both isolated-vm and embedded PostgreSQL have binaries. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64'];
const LOCK_HEARTBEAT_MS = 2_000;
/** A holder on another machine (a shared folder) is known by its heartbeat alone. */
const LOCK_STALE_MS = 30_000;
/** On this machine the pid says more, but after a restart of the machine it may be somebody else's. */
const LOCK_ABANDONED_MS = 600_000;
const PLAIN_PROGRESS_MS = 15_000;

/** Something the person at the keyboard can act on: one sentence, no stack. */
class LaunchError extends Error {}
/** A signal arrived while npm was running; the launcher ends as that signal would have ended it. */
class Interrupted extends Error {
  constructor(signal) {
    super(signal);
    this.signal = signal;
  }
}

const say = (line) => process.stderr.write(`${line}\n`);
const seconds = (sinceMs) => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }
}

function readJson(file) {
  try {
    return JSON.parse(readText(file) ?? 'null');
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

// --- runtime ---------------------------------------------------------------------------------------------------------

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

async function installRuntime(root) {
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

// --- dependencies ----------------------------------------------------------------------------------------------------

const dependencyStamp = (root) => path.join(root, 'node_modules/.gatehouse-stamp');
const lockfileDigest = (root) =>
  createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');

/** Whether `node_modules` is what package-lock.json describes. True also after a developer's own `npm install`. */
export function areDependenciesCurrent(root) {
  const digest = lockfileDigest(root);
  if (readText(dependencyStamp(root)) === digest) return true;
  const installed = readJson(path.join(root, 'node_modules/.package-lock.json'))?.packages;
  const wanted = readJson(path.join(root, 'package-lock.json'))?.packages;
  if (!installed || !wanted) return false;
  const complete = Object.entries(wanted).every(([name, entry]) => {
    if (!name.startsWith('node_modules/') && !name.includes('/node_modules/')) return true;
    const found = installed[name];
    if (found === undefined) return !isNeededHere(entry);
    return found.link === entry.link && found.version === entry.version && found.integrity === entry.integrity;
  });
  if (complete) fs.writeFileSync(dependencyStamp(root), digest);
  return complete;
}

/** npm leaves out optional packages of other platforms, and what only those need. */
function isNeededHere({ optional, os: systems, cpu, libc }) {
  if (!optional) return true;
  return !!systems?.includes(process.platform) && !!cpu?.includes(process.arch) && libc === undefined;
}

const installMark = (root) => path.join(root, '.runtime/installing');

/**
 * `npm ci` would refuse a lockfile where the registry in use lacks an optional package of some other platform, so this is
 * `npm install` held to the lockfile: it saves nothing, and the result is compared with package-lock.json afterwards.
 */
async function installDependencies(root) {
  const mark = installMark(root);
  // An interrupted npm leaves half-written packages that it later takes for whole ones.
  if (fs.existsSync(mark)) fs.rmSync(path.join(root, 'node_modules'), { recursive: true, force: true });
  fs.rmSync(dependencyStamp(root), { force: true });
  fs.writeFileSync(mark, '');
  // Install scripts are off: nothing here needs one, and not running strangers' scripts is the safer habit.
  const flags = ['--ignore-scripts', '--no-save', '--include=dev', '--include=optional'];
  await runNpm(root, ['install', ...flags], 'dependencies into node_modules/');
  fs.rmSync(mark, { force: true });
  if (!areDependenciesCurrent(root)) {
    throw new LaunchError(
      'npm installed something else than package-lock.json names: run `git checkout package-lock.json`, then this again.',
    );
  }
}

// --- npm -------------------------------------------------------------------------------------------------------------

/** npm as its own `npm run` names it, else from PATH; other package managers set the same variable, so look closer. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') && fs.existsSync(script) ? [process.execPath, script] : ['npm'];
}

function npmCacheFlags(root) {
  try {
    fs.accessSync(os.homedir(), fs.constants.W_OK);
    return [];
  } catch {
    return ['--cache', path.join(root, '.runtime/npm-cache')];
  }
}

async function runNpm(root, args, what) {
  const [program, ...head] = npmCommand();
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--engine-strict=false', '--loglevel=error'];
  const child = spawn(program, [...head, ...args, ...flags, ...npmCacheFlags(root)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  recordChild(root, child.pid);
  const startedMs = Date.now();
  const progress = showProgress(`Installing ${what}`, startedMs);
  let output = '';
  const keep = (chunk) => {
    output = (output + chunk).slice(-64_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let interruptedBy = null;
  const interrupt = (signal) => {
    interruptedBy ??= signal;
    child.kill('SIGTERM');
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const ending = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? signal));
    });
    if (interruptedBy) throw new Interrupted(interruptedBy);
    if (ending !== 0) throw new LaunchError(explainNpmFailure(output, ending, args[0]));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new LaunchError(
      'npm was not found: install it next to Node.js (Debian: apt-get install npm) and run this again.',
    );
  } finally {
    progress.stop();
    for (const signal of signals) process.off(signal, interrupt);
  }
  say(`Installed ${what} in ${seconds(startedMs)}`);
}

/** One sentence for the usual reasons; npm's own last lines for the others. */
export function explainNpmFailure(output, ending, verb) {
  const has = (pattern) => pattern.exec(output)?.[0];
  const network = has(
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/,
  );
  if (has(/ENOSPC/)) return 'The disk is full: free about 1 GB and run this again.';
  if (network)
    return `npm cannot reach its registry (${network}): check the network and npm's proxy settings, then run this again.`;
  if (has(/EACCES|EPERM|EROFS/)) {
    return 'npm may not write to this checkout or to its cache: make both writable for your account and run this again.';
  }
  if (has(/EINTEGRITY/)) {
    return 'A downloaded package is not the one that package-lock.json names: run `npm cache clean --force`, then this again.';
  }
  if (has(/\bE404\b|ETARGET|EBADPLATFORM/)) {
    return `The npm registry in use lacks a package that Gatehouse needs: ${firstErrorLines(output)}`;
  }
  return `npm ${verb} failed (${ending}): ${firstErrorLines(output)}`;
}

function firstErrorLines(output) {
  const lines = output
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim())
    .filter((line) => line !== '' && !/^code |^npm warn|complete log|debug-0\.log/.test(line));
  return lines.slice(0, 3).join(' · ') || 'it printed nothing';
}

function showProgress(what, startedMs) {
  const terminal = process.stderr.isTTY;
  const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
  let tick = 0;
  if (!terminal) say(`${what} …`);
  const draw = () => {
    if (!terminal) return say(`${what} … ${seconds(startedMs)}`);
    tick += 1;
    process.stderr.write(`\r\x1b[2K${frames[tick % frames.length]} ${what} … ${seconds(startedMs)}`);
  };
  const timer = setInterval(draw, terminal ? 100 : PLAIN_PROGRESS_MS);
  return {
    stop() {
      clearInterval(timer);
      if (terminal) process.stderr.write('\r\x1b[2K');
    },
  };
}

// --- one install at a time -------------------------------------------------------------------------------------------

const lockFile = (root) => path.join(root, '.runtime/install.lock');

function recordChild(root, childPid) {
  const lock = readJson(lockFile(root));
  // npm outlives a launcher that was killed with SIGKILL, so the lock lives as long as either of them.
  if (lock?.pid === process.pid) fs.writeFileSync(lockFile(root), JSON.stringify({ ...lock, childPid }));
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

function isStale(file) {
  const lock = readJson(file);
  const ageMs = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (lock === null || lock.host !== os.hostname()) return ageMs > LOCK_STALE_MS;
  return ageMs > LOCK_ABANDONED_MS || ![lock.pid, lock.childPid].some((pid) => pid && isAlive(pid));
}

/** Runs `work` while no other launch of this checkout installs. A lock whose holders are dead is broken. */
export async function withInstallLock(root, work) {
  const file = lockFile(root);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  for (let told = false; !tryLock(file); told = true) {
    if (!told) say(`Another launch (pid ${readJson(file)?.pid ?? 'unknown'}) is installing; waiting for it …`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const heartbeat = setInterval(() => fs.utimes(file, new Date(), new Date(), () => {}), LOCK_HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    fs.rmSync(file, { force: true });
  }
}

function tryLock(file) {
  // Written aside and linked into place, so that nobody ever reads a lock without its contents.
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify({ pid: process.pid, host: os.hostname() }));
  try {
    if (isStale(file)) breakLock(file, draft);
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function breakLock(file, draft) {
  const aside = `${draft}.stale`;
  try {
    fs.renameSync(file, aside);
    // Another launch may have broken it and taken its place between our look and our rename: give it back.
    if (!isStale(aside)) fs.linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

// --- handing over ----------------------------------------------------------------------------------------------------

/** Installs what is missing; resolves with the Node.js to use. Does nothing, quickly, when everything is there. */
export async function ensureReady(root) {
  const runtime = findRuntime(root);
  if (runtime !== null && areDependenciesCurrent(root)) return runtime;
  return withInstallLock(root, async () => {
    const ready = findRuntime(root) ?? (await installRuntime(root));
    if (!areDependenciesCurrent(root)) await installDependencies(root);
    return ready;
  });
}

/**
 * On a terminal, Ctrl-C already reaches the whole foreground process group, and npm passes it on once more: forwarding it
 * would be a second Ctrl-C to the child, which means "at once" there. So it is forwarded only where nobody else does.
 */
function isForeground() {
  if (![process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)) return false;
  const stat = readText('/proc/self/stat');
  if (stat === null) return true;
  const [, , group, , , terminalGroup] = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  return group === terminalGroup;
}

function handOver(runtime, root, args) {
  // Tools that find Node.js through PATH must find the same one.
  const searchPath = [path.dirname(runtime), process.env.PATH].filter(Boolean).join(path.delimiter);
  const child = spawn(runtime, args, { stdio: 'inherit', env: { ...process.env, PATH: searchPath } });
  const forwarded = new Set();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (forwarded.has(signal) || (signal === 'SIGINT' && isForeground())) return;
      forwarded.add(signal);
      child.kill(signal);
    });
  }
  child.on('error', (error) => fail(new LaunchError(`${runtime} does not start: ${error.message}`)));
  child.on('exit', (code, signal) => (signal ? endBySignal(signal) : process.exit(code)));
}

function endBySignal(signal) {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function fail(error) {
  if (error instanceof Interrupted) return endBySignal(error.signal);
  const known = { ENOSPC: 'the disk is full', EACCES: 'permission denied', EROFS: 'the file system is read-only' };
  const sentence = known[error.code] ? `Cannot write ${error.path}: ${known[error.code]}.` : error.message;
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
  const [script, ...fixed] = COMMANDS[command];
  const runtime = await ensureReady(root);
  if (!fs.existsSync(path.join(root, script)))
    throw new LaunchError(`${script} is missing: the checkout is incomplete.`);
  handOver(runtime, root, [path.join(root, script), ...fixed, ...args]);
}

const self = fs.realpathSync(fileURLToPath(import.meta.url));
if (process.argv[1] && fs.realpathSync(process.argv[1]) === self) {
  main(path.dirname(path.dirname(self)), process.argv.slice(2)).catch(fail);
}
