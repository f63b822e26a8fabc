import { spawn } from 'node:child_process';
import path from 'node:path';
import { LaunchError } from './errors.mjs';
import { readText } from './read-file.mjs';

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

/**
 * Runs `args` with `runtime` in this process's place: its streams, its signals, its ending. What Node.js makes of our sources is
 * kept in `cacheFolder`, unless the caller chose another: a quarter of the time until `gatehouse serve` is ready. Where that
 * folder cannot be written, Node.js does without.
 */
export function handOver(runtime, args, cacheFolder, fail) {
  // Tools that find Node.js through PATH must find the same one.
  const searchPath = [path.dirname(runtime), process.env.PATH].filter(Boolean).join(path.delimiter);
  const child = spawn(runtime, args, {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: cacheFolder, ...process.env, PATH: searchPath },
  });
  const forwarded = new Set();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // Each of them asks for new hosts once more.
      const isRepeatable = signal === 'SIGHUP';
      if ((forwarded.has(signal) && !isRepeatable) || (signal === 'SIGINT' && isForeground())) return;
      forwarded.add(signal);
      child.kill(signal);
    });
  }
  child.on('error', (error) => fail(new LaunchError(`${runtime} does not start: ${error.message}`)));
  child.on('exit', (code, signal) => (signal ? endBySignal(signal) : process.exit(code)));
}

/** Ends this process as the signal would have ended it, so that its parent sees the truth. */
export function endBySignal(signal) {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
