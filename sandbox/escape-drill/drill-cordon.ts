import { readSync, writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { laneFds } from '../descriptors.ts';
import { assertBareEnvironment, assertPermissions, dropPermissions, dropPrivileges } from '../privileges.ts';
import type { Armour, Attempt, AttemptResult, Targets } from './attempt.ts';
import { FAMILIES } from './attempts.ts';

/**
 * Stands where cordon.ts stands, in its main thread and in a lane, and does what a plugin would do that has left V8: everything
 * that Node.js offers, and system calls. It starts as a cordon does, gives up the same, and then begins.
 * Arguments: `<armour> <account> <targets as JSON>`. It says what it got as one line of JSON on its lane.
 */
const { hearFd, speakFd } = laneFds(0);
const ATTEMPT_MS_MAX = 10_000;
const GOT_UNITS_MAX = 200;

const codeOf = (error: unknown): string => {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : String(error);
};

async function tryOne({ name, run }: Attempt, targets: Targets): Promise<AttemptResult> {
  const { promise: late, resolve } = Promise.withResolvers<AttemptResult>();
  const timer = setTimeout(() => resolve({ name, refusal: 'NO_ANSWER', got: '' }), ATTEMPT_MS_MAX);
  const tried = (async () => run(targets))().then(
    (got): AttemptResult => ({ name, refusal: null, got: inspect(got).slice(0, GOT_UNITS_MAX) }),
    (error): AttemptResult => ({ name, refusal: codeOf(error), got: '' }),
  );
  return Promise.race([tried, late]).finally(() => clearTimeout(timer));
}

async function tryAll(armour: Armour, targets: Targets): Promise<AttemptResult[]> {
  // An attempt that fails later than it returns must not end the drill.
  process.on('uncaughtException', () => {});
  const results: AttemptResult[] = [];
  for (const attempt of Object.values(FAMILIES).flat()) {
    if (attempt.reckless && !targets.reckless) continue;
    if (attempt.refusals[armour] ?? attempt.accepted?.[armour]) results.push(await tryOne(attempt, targets));
  }
  return results;
}

interface Task {
  armour: Armour;
  targets: Targets;
}

if (isMainThread) {
  const [, , armour, account, targets] = process.argv as [string, string, Armour, string, string];
  const task: Task = { armour, targets: JSON.parse(targets) };
  assertBareEnvironment();
  if (armour === 'shipped') assertPermissions();
  const lane = new Worker(new URL(import.meta.url), { workerData: task });
  lane.once('message', () => {
    dropPrivileges(Number(account));
    dropPermissions();
    lane.once('message', async (thread: AttemptResult[]) => {
      writeSync(speakFd, `${JSON.stringify({ main: await tryAll(armour, task.targets), thread })}\n`);
      // Until the host has read it.
      readSync(hearFd, Buffer.alloc(1), 0, 1, null);
      process.kill(process.pid, 'SIGKILL');
    });
    lane.postMessage('go');
  });
} else {
  const { armour, targets } = workerData as Task;
  parentPort!.once('message', async () => parentPort!.postMessage(await tryAll(armour, targets)));
  dropPermissions();
  parentPort!.postMessage('loaded');
}
