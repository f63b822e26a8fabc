import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Job, Phase } from './jobs.ts';
import { type Exit, type JobResult, readRecord } from './read-record.ts';
import { lineOf } from './summary.ts';

/** A process that takes so long hangs where no timeout of a test can reach it. */
const JOB_DEADLINE_MS = 1_800_000;
const OUTPUT_CHARACTERS_MAX = 40_000;

interface Context {
  root: string;
  coverage: boolean;
}

/** Runs all phases in order, telling each result as it comes and the output of what failed. Never rejects. */
export async function runPhases(context: Context, phases: Phase[]): Promise<JobResult[]> {
  const results: JobResult[] = [];
  for (const { atOnce, jobs } of phases) {
    const waiting = [...jobs];
    const worker = async () => {
      for (let job = waiting.shift(); job; job = waiting.shift()) {
        const { result, output } = await runJob(context, job);
        results.push(result);
        console.log(lineOf(result));
        if (result.failures.length > 0) console.log(output.trimEnd().replace(/^/gm, '    '));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }
  return results;
}

async function runJob({ root, coverage }: Context, job: Job): Promise<{ result: JobResult; output: string }> {
  const startedMs = Date.now();
  if (job.kind === 'tool') {
    const { exit, output } = await runNode(root, job.args);
    const failures = exit === 0 ? [] : [`${job.name} ended with ${exit}`];
    const passed = exit === 0 ? 1 : 0;
    return { result: { job, passed, failures, skipped: [], tookMs: Date.now() - startedMs }, output };
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-test-'));
  const record = path.join(folder, 'events.ndjson');
  fs.writeFileSync(record, '');
  try {
    const reporter = path.join(import.meta.dirname, 'record-reporter.ts');
    const options = ['--forbid-only', '--no-color', '--reporter', reporter, '--reporter-option', `file=${record}`];
    const args = ['node_modules/mocha/bin/mocha.js', ...options, ...job.files];
    const { exit, output } = await runNode(root, args, coverage ? path.join(root, 'coverage/tmp') : undefined);
    const counted = readRecord(job.files, fs.readFileSync(record, 'utf8'), exit);
    return { result: { job, ...counted, tookMs: Date.now() - startedMs }, output };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes coverage/lcov.info; resolves with the summary for the terminal. */
export async function runCoverageReport(root: string): Promise<string> {
  const { output } = await runNode(root, ['node_modules/c8/bin/c8.js', 'report']);
  return output.trim();
}

function runNode(cwd: string, args: string[], coverageFolder?: string): Promise<{ exit: Exit; output: string }> {
  const env = coverageFolder ? { ...process.env, NODE_V8_COVERAGE: coverageFolder } : process.env;
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const deadline = setTimeout(() => child.kill('SIGKILL'), JOB_DEADLINE_MS);
  return new Promise((resolve) => {
    const end = (exit: Exit) => {
      clearTimeout(deadline);
      // A grandchild may still hold the pipes; do not wait for it.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ exit, output });
    };
    child.on('error', (error) => {
      output += error.message;
      end(1);
    });
    child.on('exit', (code, signal) => setImmediate(end, code ?? signal ?? 1));
  });
}
