import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chartOf } from '../benchmarks/measure/chart.ts';
import { circumstances } from '../benchmarks/measure/circumstances.ts';
import { guard } from '../benchmarks/measure/guard.ts';
import { profileHost } from '../benchmarks/measure/profile-host.ts';
import {
  type Benchmark,
  type BenchmarkOptions,
  markdownOf,
  type Report,
  sentenceOf,
} from '../benchmarks/measure/report.ts';
import { type Failed, summaryOf } from '../benchmarks/measure/summary.ts';

const root = path.dirname(import.meta.dirname);
const folder = path.join(root, 'benchmarks');
const resultsFolder = path.join(folder, 'results');
const USAGE =
  'Usage: npm run bench [-- <name> ...] [--rounds 5] [--seconds 4] [--profile], or npm run bench -- --guard';

/** Runs the named benchmarks (all without names). JSON goes to stdout and to benchmarks/results, progress to stderr. */
async function main(argv: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      guard: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const known = fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length));
  const unknown = positionals.filter((name) => !known.includes(name));
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (unknown.length > 0 || !(rounds >= 1) || !(seconds > 0)) {
    console.error(`There are ${known.join(', ')}. ${USAGE}`);
    return 2;
  }
  if (values.help) {
    console.log(`${USAGE}\nBenchmarks: ${known.join(', ')}.`);
    return 0;
  }
  if (values.guard) return (await guard(console.error)) ? 0 : 1;
  const startedAtMs = performance.now();
  const results: (Report | Failed)[] = [];
  for (const name of positionals.length > 0 ? positionals : known) {
    const options = { rounds, seconds, tell: (line: string) => console.error(`  ${line}`) };
    results.push(await measure(name, options, values.profile));
  }
  const summary = summaryOf(results, circumstances(), performance.now() - startedAtMs);
  if (positionals.length === 0) {
    fs.mkdirSync(resultsFolder, { recursive: true });
    fs.writeFileSync(path.join(resultsFolder, 'report.md'), summary);
  }
  console.error(summary);
  console.log(JSON.stringify(results, null, 2));
  return results.some((each) => 'why' in each) ? 1 : 0;
}

/** One that fails must not cost the results of the others. */
async function measure(name: string, options: BenchmarkOptions, isProfiled: boolean): Promise<Report | Failed> {
  const { benchmark }: { benchmark: Benchmark } = await import(path.join(folder, `${name}.ts`));
  const { question } = benchmark;
  console.error(`${name}: ${question}`);
  try {
    const report: Report = { name, question, ...(await benchmark.run(options)), ...circumstances() };
    // Figures that took minutes are not lost where a profile fails.
    keep(report);
    const { profiled } = benchmark;
    if (isProfiled && profiled) {
      report.profiles = await profileHost({ folder: resultsFolder, name }, (host) => profiled(host, options.seconds));
      keep(report);
    }
    console.error(`\n${markdownOf(report)}`);
    return report;
  } catch (error) {
    console.error(error);
    return { name, question, why: error instanceof Error ? error.message : String(error) };
  }
}

function keep(report: Report): void {
  const results = resultsFolder;
  fs.mkdirSync(results, { recursive: true });
  fs.writeFileSync(path.join(results, `${report.name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  fs.writeFileSync(path.join(results, `${report.name}.md`), markdownOf(report));
  fs.writeFileSync(path.join(results, `${report.name}.svg`), chartOf(report));
  fs.writeFileSync(path.join(results, 'README.md'), overviewOf(results));
}

/** All results that there are, a line for each target. */
function overviewOf(results: string): string {
  const reports = fs
    .readdirSync(results)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file): Report => JSON.parse(fs.readFileSync(path.join(results, file), 'utf8')))
    .filter(({ verdicts }) => Array.isArray(verdicts) && verdicts.every((each) => 'good' in each));
  const sections = reports.map(({ name, question, verdicts = [], commit, at }) =>
    [
      `## [${name}](${name}.md)`,
      '',
      question,
      '',
      ...verdicts.map((each) => `- ${sentenceOf(each)}`),
      '',
      `Commit ${commit}, ${at}.`,
      '',
    ].join('\n'),
  );
  return [
    '# Results',
    '',
    'Made by `npm run bench`; each page names its machine and its versions.',
    '',
    ...sections,
  ].join('\n');
}

process.exitCode = await main(process.argv.slice(2));
