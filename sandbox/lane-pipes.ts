import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starting a program holds up the host for milliseconds, so it makes this many at a time. */
const MADE_AT_ONCE = 32;

/** The way from the host to one lane, which nobody else can find. */
export interface LanePipe {
  writeFd: number;
  /** Reading waits until there is something. */
  hearFd: number;
  /** The same bytes, but reading fails with EAGAIN where there is nothing. No socket has both, only a pipe with a name. */
  pollFd: number;
}

let folder: string | null = null;
let names: string[] = [];

/** Closes what it has opened where it cannot open all. Throws where `mkfifo` cannot be run. */
export function openLanePipes(count: number): LanePipe[] {
  const pipes: LanePipe[] = [];
  try {
    while (pipes.length < count) pipes.push(openPipe(takeName()));
    return pipes;
  } catch (error) {
    for (const { writeFd, hearFd, pollFd } of pipes) for (const fd of [writeFd, hearFd, pollFd]) closeSync(fd);
    throw error;
  }
}

/** In this order none of them waits for the other end. */
function openPipe(name: string): LanePipe {
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
  const pollFd = openSync(name, O_RDONLY | O_NONBLOCK);
  const writeFd = openSync(name, O_WRONLY | O_NONBLOCK);
  const hearFd = openSync(name, O_RDONLY);
  rmSync(name);
  return { writeFd, hearFd, pollFd };
}

function takeName(): string {
  const name = names.pop();
  // Machines throw away temporary files that look forgotten.
  if (name !== undefined && existsSync(name)) return name;
  if (folder === null) process.once('exit', removeFolder);
  removeFolder();
  const made = mkdtempSync(join(tmpdir(), 'gatehouse-pipes-'));
  folder = made;
  names = Array.from({ length: MADE_AT_ONCE }, (_, at) => join(made, `${at}`));
  try {
    execFileSync('mkfifo', ['-m', '600', ...names], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    names = [];
    throw new Error(`mkfifo (package coreutils), which makes the ways to sandbox processes, failed: ${error}`);
  }
  return names.pop()!;
}

function removeFolder(): void {
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
}
