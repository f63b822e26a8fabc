import { styleText } from 'node:util';
import type { JobResult } from './read-record.ts';

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** One finished job as one line. */
export function lineOf({ job, passed, failures, skipped, tookMs }: JobResult): string {
  const mark = failures.length > 0 ? styleText('red', '✗') : styleText('green', '✓');
  const counts = [
    ...(job.kind === 'mocha' ? [`${passed} passed`] : []),
    ...(failures.length > 0 ? [styleText('red', `${failures.length} failed`)] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ];
  const facts = [counts.join(', '), seconds(tookMs)].filter(Boolean).join(' · ');
  return `${mark} ${job.group.padEnd(7)} ${job.name} ${styleText('dim', `(${facts})`)}`;
}

/** What failed and what was skipped, once more and together. */
export function summaryOf(results: JobResult[]): string {
  const section = (title: string, lines: string[]) =>
    lines.length > 0 ? ['', title, ...lines.map((line) => `  ${line.split('\n')[0]}`)] : [];
  return [
    ...section(
      'Skipped:',
      results.flatMap(({ skipped }) => skipped),
    ),
    ...section(
      'Failed:',
      results.flatMap(({ job, failures }) => failures.map((each) => `[${job.group}] ${each}`)),
    ),
    '',
  ].join('\n');
}

/** `N passed, N failed, N skipped` over everything; a check counts as one test. */
export function closingLine(results: JobResult[]): string {
  const sum = (count: (result: JobResult) => number) => results.reduce((total, result) => total + count(result), 0);
  const passed = sum((result) => result.passed);
  return `${passed} passed, ${sum(({ failures }) => failures.length)} failed, ${sum(({ skipped }) => skipped.length)} skipped`;
}
