import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { LoadOrder, LoadResult } from './autocannon-process.ts';

const HERE = import.meta.dirname;
const WRK_FOLDERS = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];

function findWrk(): string | null {
  for (const folder of WRK_FOLDERS) {
    const file = path.join(folder, 'wrk');
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not there.
    }
  }
  return null;
}

const wrk = findWrk();

/**
 * What makes the load; part of every report, because figures of different generators cannot be compared: autocannon takes
 * 14 us of CPU for a request, more than a bare Koa handler, and on two cores it takes them from whoever it measures.
 */
export const LOAD_GENERATOR = wrk
  ? 'wrk, one thread'
  : 'autocannon, own process (wrk is not installed and disturbs less: apt-get install wrk)';

/** One measurement, from a process of its own, so that the load never shares a thread with what it measures. */
export const measureLoad = (order: LoadOrder): Promise<LoadResult> => (wrk ? runWrk(wrk, order) : runAutocannon(order));

/** The same where every request must be answered. */
export async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const result = await measureLoad(order);
  if (result.failures > 0) throw new Error(`${result.failures} of ${result.n} requests to ${order.url} failed`);
  return result;
}

async function runWrk(program: string, order: LoadOrder): Promise<LoadResult> {
  const { url, headers, connections, seconds, method = 'GET', body, paths } = order;
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-load-'));
  const fileOf = (name: string, text: string | undefined) => {
    if (text === undefined) return '-';
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  try {
    const script = path.join(HERE, 'wrk-report.lua');
    const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const args = ['-t1', `-c${connections}`, `-d${Math.ceil(seconds)}s`, '-s', script, ...fields, url];
    const files = [fileOf('body', body), fileOf('paths', paths?.join('\n'))];
    const { stdout } = await promisify(execFile)(program, [...args, '--', method, ...files]);
    const line = stdout.split('\n').find((each) => each.startsWith('{'));
    if (!line) throw new Error(`wrk said no figures: ${stdout}`);
    return JSON.parse(line);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runAutocannon(order: LoadOrder): Promise<LoadResult> {
  const child = fork(path.join(HERE, 'autocannon-process.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.send(order);
  const answer = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => null)]);
  if (answer === null) throw new Error(`autocannon's process ended with ${child.exitCode ?? child.signalCode}`);
  return answer[0] as LoadResult;
}
