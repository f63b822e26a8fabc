import { execFileSync } from 'node:child_process';
import { closeSync, constants, fchmodSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starting a program holds up the host for milliseconds, so it makes this many at a time. */
const MADE_AT_ONCE = 16;

/** A pipe holds 64 KiB by itself, which is six frames of 10 kB: where host and lane share cores, one often waited for the other. */
export const PIPE_BYTES = 256 * 1024;
/** F_SETPIPE_SZ of Linux, fcntl(2). Node.js has no fcntl. */
const SET_PIPE_SIZE = 1031;

/** The way from the host to one lane. It has no path any more, and what leads to a descriptor of it opens it to nobody but root. */
export interface LanePipe {
  writeFd: number;
  /** Reading waits until there is something. */
  hearFd: number;
  /** The same bytes, but reading fails with EAGAIN where there is nothing. No socket has both, only a pipe with a name. */
  pollFd: number;
}

/** Made and not used yet. */
const stock: LanePipe[] = [];

/** Throws where `mkfifo` cannot be run, or nothing can be opened; whoever takes a pipe closes it. */
export function takeLanePipes(count: number): LanePipe[] {
  while (stock.length < count) stock.push(...makePipes());
  return stock.splice(0, count);
}

export const closeAll = (fds: number[]): void => {
  for (const fd of fds) closeSync(fd);
};

function makePipes(): LanePipe[] {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-pipes-'));
  const opened: number[] = [];
  const open = (name: string, flags: number) => {
    const fd = openSync(name, flags);
    opened.push(fd);
    return fd;
  };
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
  try {
    const names = Array.from({ length: MADE_AT_ONCE }, (_, at) => join(folder, `${at}`));
    makeNames(names);
    const pipes = names.map((name) => {
      // In this order none of them waits for the other end.
      const pollFd = open(name, O_RDONLY | O_NONBLOCK);
      const writeFd = open(name, O_WRONLY | O_NONBLOCK);
      const hearFd = open(name, O_RDONLY);
      // Whoever has the same account may open what it finds below /proc, as its mode says.
      fchmodSync(pollFd, 0);
      return { writeFd, hearFd, pollFd };
    });
    widen(pipes);
    return pipes;
  } catch (error) {
    closeAll(opened);
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeNames(names: string[]): void {
  try {
    execFileSync('mkfifo', ['-m', '600', ...names], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    throw new Error(`mkfifo (package coreutils), which makes the ways to sandbox processes, failed: ${error}`);
  }
}

/** They work as they are, too: without perl, and where an account has as much in pipes as it may (pipe(7), pipe-user-pages-soft). */
function widen(pipes: LanePipe[]): void {
  const script = `for (3 .. 2 + shift) { open PIPE, '<&=', $_ and fcntl PIPE, ${SET_PIPE_SIZE}, ${PIPE_BYTES} }`;
  try {
    execFileSync('perl', ['-e', script, `${pipes.length}`], {
      stdio: ['ignore', 'ignore', 'ignore', ...pipes.map(({ pollFd }) => pollFd)],
    });
  } catch {
    // Slower with long bodies, and nothing else.
  }
}
