import type { FileResult, FolderResult, SubtestStatus } from './contract.ts';

/** Counts what the files of one folder came to. */
export function summariseFolder(folder: string, results: FileResult[]): FolderResult {
  const ran = results.filter((result) => result.skipped === null);
  const subtests = ran.flatMap((result) => result.subtests);
  const count = (status: SubtestStatus) => subtests.filter((subtest) => subtest.status === status).length;
  const [passed, failed, timedOut, notRun] = [count('passed'), count('failed'), count('timed-out'), count('not-run')];
  const counted = passed + failed + timedOut + notRun;
  return {
    folder,
    files: ran.length,
    passed,
    failed,
    timedOut,
    notRun,
    passRate: counted === 0 ? 0 : Math.floor((passed / counted) * 1_000) / 10,
    skippedFiles: tally(results.flatMap(({ skipped }) => (skipped === null ? [] : [skipped]))),
    skippedSubtests: tally(subtests.filter(({ status }) => status === 'skipped').map(({ message }) => message)),
  };
}

function tally(reasons: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of [...reasons].sort()) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

const COLUMNS = ['folder', 'files', 'passed', 'failed', 'timed out', 'not run', 'pass rate'];

/** The table, and below it what was left out and why. */
export function resultsMarkdown(source: string, measuredOn: string, folders: FolderResult[]): string {
  const rows = folders.map(
    ({ folder, files, passed, failed, timedOut, notRun, passRate }) =>
      `| \`${folder}\` | ${files} | ${passed} | ${failed} | ${timedOut} | ${notRun} | ${passRate} % |`,
  );
  const skipped = folders.flatMap(({ folder, skippedFiles, skippedSubtests }) => [
    ...Object.entries(skippedFiles).map(([reason, count]) => `| \`${folder}\` | ${count} files | ${reason} |`),
    ...Object.entries(skippedSubtests).map(([reason, count]) => `| \`${folder}\` | ${count} subtests | ${reason} |`),
  ]);
  return `<!-- Written by \`npm run wpt\`; do not edit. -->
# Web platform tests

What [web-platform-tests](https://web-platform-tests.org/) say about the Web APIs of a plugin: ${source}, run in the real sandbox
with the real guest, with relaxed limits of time, timers and log. ${measuredOn}. Run it yourself:
\`npm run wpt -- --checkout <path of a checkout>\`. What a plugin has, and what it has not, is in [web-apis.md](web-apis.md).

| ${COLUMNS.join(' | ')} |
|---|${'---:|'.repeat(COLUMNS.length - 1)}
${rows.join('\n')}

A subtest that has not said how it ended counts as failed, timed out or not run. A file that fails as a whole counts as one more failure.

## Left out

| folder | how many | why |
|---|---:|---|
${skipped.join('\n')}
`;
}
