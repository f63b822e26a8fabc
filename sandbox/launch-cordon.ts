import { type ChildProcess, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { closeBlackBox, openBlackBox } from './black-box.ts';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '..');
/** `--permission` denies the network from this major on. */
export const NETWORK_DENYING_NODE_MAJOR = 25;

export interface CordonProcess {
  child: ChildProcess;
  control: Duplex;
  stderr: Readable;
  lanes: Duplex[];
  blackBoxFd: number;
}

/** Command line of a process that can read its own code and do nothing else; `entry` is a file of this folder. */
export function cordonArguments(entry: string): string[] {
  const require = createRequire(import.meta.url);
  const packageFolder = (name: string, from = require) => dirname(realpathSync(from.resolve(`${name}/package.json`)));
  const engine = packageFolder('isolated-vm');
  const readable = [
    `${HERE}/`,
    `${join(ROOT, 'plugins-sdk/contract')}/`,
    join(ROOT, 'package.json'),
    join(ROOT, 'plugins-sdk/package.json'),
    `${engine}/`,
    `${packageFolder('node-gyp-build', createRequire(join(engine, 'package.json')))}/`,
    `${dirname(dirname(realpathSync(require.resolve('piscina'))))}/`,
    // node-gyp-build looks for it to tell musl from glibc.
    '/etc/alpine-release',
  ];
  return [
    '--no-node-snapshot',
    // V8 compiles and collects garbage on the thread that caused it. So that work is billed to the invocation (a flood of
    // promises used 30 of 150 ms on its own thread, the rest on V8's helpers), and every loop can be interrupted: with
    // concurrent compilation a tight loop often ran on for seconds after its timeout (both measured, Node 26.10).
    '--single-threaded',
    '--permission',
    '--allow-addons',
    '--allow-worker',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    // "--allow-addons must be used with extreme caution": it is.
    '--disable-warning=SecurityWarning',
    '--disable-warning=ExperimentalWarning',
    join(HERE, entry),
  ];
}

/**
 * Starts a cordon: empty environment, descriptors 3 (black box), 4 (control) and 5... (one
 * socket for each lane). `release` the black box when the process is gone.
 */
export function launchCordon(
  lanes: number,
  isolatesPerLane: number,
  entry = 'cordon.ts',
  residentMiBMax = 0,
): CordonProcess {
  const blackBoxFd = openBlackBox(lanes);
  try {
    const sizes = [lanes, isolatesPerLane, residentMiBMax].map(String);
    const child = spawn(process.execPath, [...cordonArguments(entry), ...sizes], {
      // Node 26.10 lets worker threads read everything below the working folder, whatever --allow-fs-read says.
      cwd: HERE,
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', blackBoxFd, 'pipe', ...Array.from({ length: lanes }, () => 'pipe' as const)],
    });
    const [, , stderr, , control, ...sockets] = child.stdio;
    return { child, control: control as Duplex, stderr: stderr as Readable, lanes: sockets as Duplex[], blackBoxFd };
  } catch (error) {
    closeBlackBox(blackBoxFd);
    throw error;
  }
}
