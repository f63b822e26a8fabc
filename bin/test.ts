import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findPhases, GROUPS, type Group } from './testing/jobs.ts';
import { runCoverageReport, runPhases } from './testing/run-job.ts';
import { closingLine, summaryOf } from './testing/summary.ts';

const USAGE = `Usage: npm test [-- <${GROUPS.join('|')}> ...] [--no-coverage]`;

/** Runs the chosen groups (all without arguments); returns the exit code. Its last line sums up everything that ran. */
async function main(argv: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: argv,
    allowPositionals: true,
    allowNegative: true,
    options: { coverage: { type: 'boolean' } },
  });
  const unknown = positionals.filter((name) => !GROUPS.includes(name as Group));
  if (unknown.length > 0) {
    console.error(`There is no group ${unknown.join(', ')}. ${USAGE}`);
    return 2;
  }
  const root = path.dirname(import.meta.dirname);
  const groups = positionals.length > 0 ? (positionals as Group[]) : GROUPS;
  // Coverage of a part would be a misleading number.
  const coverage = values.coverage ?? groups.length === GROUPS.length;
  fs.rmSync(path.join(root, 'coverage'), { recursive: true, force: true });

  const results = await runPhases({ root, coverage }, findPhases(root, groups));
  console.log(summaryOf(results));
  if (coverage) console.log(await runCoverageReport(root));
  console.log(closingLine(results));
  return results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((error) => {
  console.error(`${error.message}. ${USAGE}`);
  return 2;
});
