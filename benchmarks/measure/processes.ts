import { type ChildProcess, fork, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Answer } from './bare-koa-process.ts';

const root = path.resolve(import.meta.dirname, '../..');
const child = (name: string) =>
  fork(path.join(import.meta.dirname, `${name}.ts`), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });

async function ask<Reply>(process: ChildProcess, message: object): Promise<Reply> {
  process.send(message);
  const answer = await Promise.race([once(process, 'message'), once(process, 'exit').then(() => null)]);
  if (answer === null)
    throw new Error(`a process of the benchmark ended with ${process.exitCode ?? process.signalCode}`);
  return answer[0] as Reply;
}

/** Arguments of `env`, which adds `settings` to the environment that it has and becomes Node.js with `args`. */
export const withSettings = (settings: Record<string, string>, args: string[]): string[] => [
  ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  process.execPath,
  ...args,
];

export interface Running {
  url: string;
  close(): Promise<void>;
}

/** A Koa server in a process of its own that does what the routes of `benchmarks/plugins/work` do, on a PostgreSQL of its own. */
export async function startWorkingKoa(): Promise<Running> {
  const process = child('working-koa-process');
  const { url } = await ask<{ url: string }>(process, {});
  return { url, close: () => end(process) };
}

/** A bare Koa handler in a process of its own that answers what the plugin answers. */
export async function startBareKoa(answer: Answer): Promise<Running> {
  const process = child('bare-koa-process');
  const { url } = await ask<{ url: string }>(process, answer);
  return { url, close: () => end(process) };
}

export interface RunningHost extends Running {
  /** Of the program that was started; the host and its cordons are below it. */
  pid: number;
  /** API tokens by role. */
  credentials: Record<string, string>;
}

/** One caller sends what a hundred would elsewhere, and is counted like them, only further. */
const MANY_CALLERS = {
  GATEHOUSE_RATE_LIMITS: ['run-address', 'run-token', 'run-installation'].map((name) => `${name}=6000000/60`).join(','),
};

/**
 * A fresh host as `npm start` brings it up: embedded PostgreSQL, sandbox processes, published and installed examples. `settings` by
 * name of the environment variable.
 */
export async function startHost(settings: Record<string, string> = {}): Promise<RunningHost> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-bench-'));
  const args = ['bin/launch.mjs', 'demo', '--json', '--port', '0', '--data', folder];
  const host = spawn('env', withSettings({ ...MANY_CALLERS, ...settings }, args), {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const close = async () => {
    await end(host);
    fs.rmSync(folder, { recursive: true, force: true });
  };
  for await (const line of createInterface({ input: host.stdout })) {
    if (!line.startsWith('{')) continue;
    const { url, credentials } = JSON.parse(line);
    host.stdout.resume();
    return { url, credentials, pid: host.pid!, close };
  }
  await close();
  throw new Error('the host ended before it was up; see above');
}

/** Likewise, as `gatehouse serve` brings it up, with so many host processes on its port. */
export async function startHosts(hosts: number, settings: Record<string, string> = {}): Promise<RunningHost> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-bench-'));
  const close = async () => fs.rmSync(folder, { recursive: true, force: true });
  const start = (args: string[], stdio: StdioOptions) =>
    spawn('env', withSettings(settings, ['bin/launch.mjs', ...args, '--port', '0', '--data', folder]), {
      cwd: root,
      stdio,
    });
  const demo = start(['demo', '--smoke', '--json'], ['ignore', 'pipe', 'inherit']);
  const said = await lineOf(demo.stdout!, (line) => line.startsWith('{'));
  if (demo.exitCode === null) await once(demo, 'exit');
  const server = start(['gatehouse', 'serve', '--embedded', '--hosts', `${hosts}`], ['ignore', 'ignore', 'pipe']);
  const ready = await lineOf(server.stderr!, (line) => line.includes('"msg":"ready"'));
  if (said === null || ready === null) {
    await end(server);
    await close();
    throw new Error('the hosts ended before they were up');
  }
  server.stderr!.resume();
  const closeBoth = async () => {
    await end(server);
    await close();
  };
  return { url: JSON.parse(ready).url, credentials: JSON.parse(said).credentials, pid: server.pid!, close: closeBoth };
}

/** The first line that is looked for; null where the stream ends without it. */
async function lineOf(stream: Readable, isIt: (line: string) => boolean): Promise<string | null> {
  const lines = createInterface({ input: stream });
  const found = new Promise<string | null>((resolve) => {
    lines.on('line', (line) => isIt(line) && resolve(line));
    lines.on('close', () => resolve(null));
  });
  return found;
}

export async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  process.kill('SIGTERM');
  await once(process, 'exit');
}
