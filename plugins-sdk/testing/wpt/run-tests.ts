import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { PluginFaultError } from '../../../host/invocations/contract.ts';
import { CEILING_LIMITS, type Limits, type Manifest } from '../../contract/index.ts';
import { type LocalHost, startLocalHost } from '../../local-host.ts';
import type { FileResult, Subtest, SubtestStatus } from './contract.ts';
import type { TestFile } from './find-tests.ts';
import { RESULT_MARK, testBundle } from './test-bundle.ts';

const HARNESS = 'resources/testharness.js';
const MiB = 1024 * 1024;

/** A file has thousands of subtests, so that time, timers and log are relaxed. What a plugin can see and do is not. */
const RELAXED: Limits = {
  ...CEILING_LIMITS,
  cpuMs: 60_000,
  outputBytes: 8 * MiB,
  timers: 100_000,
  hostCalls: 100_000,
  logBytes: 64 * MiB,
  startupCpuMs: 10_000,
  cpuMsPerSecond: 1_000_000,
  cpuBurstMs: 1_000_000,
};

const MANIFEST = {
  publisher: 'wpt',
  name: 'wpt',
  version: '1.0.0',
  description: '',
  engine: '*',
} as unknown as Manifest;

/** PASS, FAIL, TIMEOUT, NOTRUN, PRECONDITION_FAILED of testharness.js. */
const STATUSES: SubtestStatus[] = ['passed', 'failed', 'timed-out', 'not-run', 'skipped'];

/** Subtests that ask for what is left out on purpose; the table of Web APIs says why. */
const ABSENT: [pattern: RegExp, reason: string][] = [
  [/SharedArrayBuffer/, 'SharedArrayBuffer is left out'],
  [/resizable|growable/i, 'resizable buffers are left out'],
];

export interface TestRunner {
  run(test: TestFile): Promise<FileResult>;
  close(): Promise<void>;
}

/** Runs tests of a checkout one after the other, in a real sandbox with the real guest. Throws where the checkout has no testharness.js. */
export async function openTestRunner(checkout: string, options: { fileMs?: number } = {}): Promise<TestRunner> {
  const { fileMs = 20_000 } = options;
  const harness = fs.readFileSync(path.join(checkout, HARNESS), 'utf8');
  let lines: string[] = [];
  const host = await startLocalHost({
    operator: { id: 'wpt', slug: 'wpt' },
    onLog: ({ message }) => void (message.startsWith(RESULT_MARK) && lines.push(message.slice(RESULT_MARK.length))),
  });
  return {
    run: async (test) => {
      if (test.skipped !== null) return { path: test.path, subtests: [], skipped: test.skipped };
      lines = [];
      const end = await execute(host, testBundle(checkout, harness, test, fileMs), fileMs);
      const subtests = lines.map(readSubtest);
      if (end !== null) subtests.push({ name: '(the file itself)', status: end.status, message: end.message });
      return { path: test.path, subtests, skipped: null };
    },
    close: () => host.close(),
  };
}

type End = { status: SubtestStatus; message: string } | null;

/** Null where every subtest said how it ended. */
async function execute(host: LocalHost, code: string, fileMs: number): Promise<End> {
  const digest = createHash('sha256').update(code).digest('hex');
  const installed = host.install({ manifest: MANIFEST, code, digest }, { grants: [] });
  const installation = { ...installed, limits: { ...RELAXED, wallMs: fileMs * 2 } };
  try {
    const job = { kind: 'schedule', name: 'run', dueAt: new Date(0).toISOString() } as const;
    const { output } = await host.runPlugin(installation, job, { caller: null });
    const [status, message, subtests] = (output as { value: unknown }).value as [number, string, number];
    // OK and TIMEOUT; the subtests of the latter have said so themselves.
    if (status === 0 || status === 2) return subtests > 0 ? null : { status: 'failed', message: 'It has no subtests.' };
    return { status: 'failed', message };
  } catch (error) {
    if (!(error instanceof PluginFaultError)) throw error;
    const { code: fault, message } = error.fault;
    return { status: fault === 'wall-limit' ? 'timed-out' : 'failed', message: `${fault}: ${message}` };
  }
}

function readSubtest(line: string): Subtest {
  const [name, code, message] = JSON.parse(line) as [string, number, string];
  const status = STATUSES[code] ?? 'failed';
  const absent = status === 'passed' ? undefined : ABSENT.find(([pattern]) => pattern.test(name));
  if (absent) return { name, status: 'skipped', message: absent[1] };
  return { name, status, message: status === 'skipped' ? 'a precondition of its own' : message };
}
