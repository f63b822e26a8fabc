import type { Job } from './jobs.ts';

/** What the reporter writes, one JSON document per line. */
export type TestEvent =
  | { type: 'start'; files: string[] }
  | { type: 'begin'; title: string }
  | { type: 'pass' }
  | { type: 'skip'; title: string }
  | { type: 'fail'; title: string; message: string }
  | { type: 'end' }
  | { type: 'stuck'; resources: string[] };

/** How one job ended. Every failure is one sentence. */
export interface JobResult {
  job: Job;
  passed: number;
  failures: string[];
  skipped: string[];
  tookMs: number;
}

/** `exit` is the exit code, or the signal that ended the process. */
export type Exit = number | NodeJS.Signals;

/** Counts what a mocha process has recorded; what it did not come to tell counts as a failure. */
export function readRecord(files: string[], record: string, exit: Exit): Omit<JobResult, 'job' | 'tookMs'> {
  const result = { passed: 0, failures: [] as string[], skipped: [] as string[] };
  const seen = { files: [] as string[], test: null as string | null, started: false, ended: false };
  for (const line of record.split('\n').filter(Boolean)) {
    const event: TestEvent = JSON.parse(line);
    if (event.type === 'start') Object.assign(seen, { started: true, files: event.files });
    if (event.type === 'begin') seen.test = event.title;
    if (event.type === 'pass') result.passed += 1;
    if (event.type === 'skip') result.skipped.push(event.title);
    if (event.type === 'fail') result.failures.push(`${event.title}: ${event.message}`);
    if (event.type === 'end') seen.ended = true;
    if (event.type === 'stuck') {
      result.failures.push(`${files.join(', ')} left something running: ${event.resources.join(', ')}`);
    }
  }
  if (!seen.started) {
    result.failures.push(`${files.length > 1 ? 'mocha' : files[0]} could not load its tests (${ending(exit)})`);
  } else if (!seen.ended) {
    result.failures.push(`crashed (${ending(exit)}) in: ${seen.test ?? 'a hook before the first test'}`);
  } else {
    const empty = files.filter((file) => !seen.files.includes(file));
    result.failures.push(...empty.map((file) => `${file} declares no tests`));
    if (exit !== 0 && result.failures.length === 0) {
      result.failures.push(`${files.join(', ')} ended with ${ending(exit)} after its tests had passed`);
    }
  }
  return result;
}

const ending = (exit: Exit): string => (typeof exit === 'number' ? `exit code ${exit}` : exit);
