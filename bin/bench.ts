import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { circumstances } from '../benchmarks/measure/circumstances.ts';
import { type Benchmark, markdownOf, type Report } from '../benchmarks/measure/report.ts';

const root = path.dirname(import.meta.dirname);
const folder = path.join(root, 'benchmarks');
const USAGE = 'Usage: npm run bench [-- <name> ...] [--rounds 5] [--seconds 4]';

/** Runs the named benchmarks (all without names). JSON goes to stdout and to benchmarks/results, progress to stderr. */
async function main(argv: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '4' } },
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
  for (const name of positionals.length > 0 ? positionals : known) {
    const { benchmark }: { benchmark: Benchmark } = await import(path.join(folder, `${name}.ts`));
    console.error(`${name}: ${benchmark.question}`);
    const measured = await benchmark.run({ rounds, seconds, tell: (line) => console.error(`  ${line}`) });
    const report: Report = { name, question: benchmark.question, ...measured, ...circumstances() };
    keep(report);
    console.error(`\n${markdownOf(report)}`);
    console.log(JSON.stringify(report, null, 2));
  }
  return 0;
}

function keep(report: Report): void {
  const results = path.join(folder, 'results');
  fs.mkdirSync(results, { recursive: true });
  fs.writeFileSync(path.join(results, `${report.name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  fs.writeFileSync(path.join(results, `${report.name}.md`), markdownOf(report));
}

process.exitCode = await main(process.argv.slice(2));
