import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { circumstances } from '../benchmarks/measure/circumstances.ts';
import { type SoakReport, soakMarkdown, verdictsOf } from '../benchmarks/soak/report.ts';
import { runSoak } from '../benchmarks/soak/run-soak.ts';

const USAGE = `Usage: npm run soak -- [--minutes 10] [--seed 1] [--kills-per-minute 300] [--attackers 2] [--cordons 2]
                     [--lanes 1] [--clients 3] [--payloads 1000] [--pause-ms 50] [--json]`;
const RESULTS = path.resolve(import.meta.dirname, '../benchmarks/results');

const DEFAULTS = {
  minutes: '10',
  seed: '1',
  'kills-per-minute': '300',
  attackers: '2',
  cordons: '2',
  lanes: '1',
  clients: '3',
  payloads: '1000',
  'pause-ms': '50',
};

/**
 * Runs the soak, with progress on stderr; the report goes to stdout and to benchmarks/results. Returns the exit code: 1 when a
 * number is missed that admits of no exception.
 */
async function main(args: string[]): Promise<number> {
  const options = Object.fromEntries(
    Object.entries(DEFAULTS).map(([name, value]) => [name, { type: 'string' as const, default: value }]),
  );
  const { values } = parseArgs({ args, options: { ...options, json: { type: 'boolean', default: false } } });
  const numbers = Object.fromEntries(
    Object.keys(DEFAULTS).map((name) => [name, Number(values[name as keyof typeof values])]),
  );
  const unusable = Object.entries(numbers).filter(([, number]) => !(number > 0));
  if (unusable.length > 0) {
    console.error(`${unusable.map(([name]) => `--${name}`).join(', ')}: a number above 0. ${USAGE}`);
    return 2;
  }
  const chosen = {
    minutes: numbers.minutes!,
    seed: numbers.seed!,
    killsPerMinute: numbers['kills-per-minute']!,
    attackers: numbers.attackers!,
    cordons: numbers.cordons!,
    lanesPerCordon: numbers.lanes!,
    honestEach: numbers.clients!,
    payloads: numbers.payloads!,
    pauseMs: numbers['pause-ms']!,
  };
  const findings = await runSoak({ ...chosen, tell: (line) => console.error(`  ${line}`) });
  const report: SoakReport = {
    name: 'soak',
    ...circumstances(),
    options: chosen,
    verdicts: verdictsOf(findings),
    ...findings,
  };
  keep(report);
  console.log(values.json ? JSON.stringify(report, null, 2) : soakMarkdown(report));
  return report.verdicts.some(({ hard, met }) => hard && !met) ? 1 : 0;
}

function keep(report: SoakReport): void {
  fs.mkdirSync(RESULTS, { recursive: true });
  fs.writeFileSync(path.join(RESULTS, 'soak.json'), `${JSON.stringify(report, null, 2)}\n`);
  fs.writeFileSync(path.join(RESULTS, 'soak.md'), soakMarkdown(report));
}

process.exitCode = await main(process.argv.slice(2)).catch((error: NodeJS.ErrnoException) => {
  const misread = error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(misread ? `${error.message}. ${USAGE}` : error);
  return 2;
});
