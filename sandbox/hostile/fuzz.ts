import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { createFuzzer } from './check-fuzzed.ts';
import { fuzzedPlugin } from './grammar.ts';
import { openRig } from './rig.ts';

const USAGE = 'Usage: node sandbox/hostile/fuzz.ts [--seconds 60] [--seed 1] [--path 12:0:1]';

/** Fuzzes the sandbox for some seconds. The seed and the path that it prints show the same plugin again. */
async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
  });
  const seconds = Number(values.seconds ?? 60);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  if (!(seconds > 0) || !Number.isInteger(seed)) throw new TypeError('--seconds and --seed are numbers');
  const rig = await openRig();
  const { check, ended, neighbour } = createFuzzer(rig);
  console.log(`seed ${seed}, ${seconds} s`);
  const property = fc.asyncProperty(fuzzedPlugin, async (plugin) => {
    const wrong = await check(plugin);
    if (wrong !== '') throw new Error(`${wrong}\n${plugin.code}`);
  });
  const found = await fc.check(property, {
    seed,
    numRuns: 1e9,
    interruptAfterTimeLimit: seconds * 1_000,
    ...(values.path ? { path: values.path } : {}),
  });
  await rig.close();
  const ends = [...ended].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
  console.log(`${found.numRuns} plugins; ${ends.join(', ')}; ${rig.deaths.length} cordons killed`);
  console.log(
    `neighbour: ${neighbour.tally.answered} answered, ${neighbour.tally.wrong.length} wrong, ${neighbour.tally.lost.length} lost`,
  );
  if (!found.failed || found.counterexample === null) return 0;
  console.log(`--seed ${found.seed} --path ${found.counterexamplePath}\n${String(found.errorInstance)}`);
  return 1;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`${error instanceof Error ? error.message : String(error)}. ${USAGE}`);
  return 2;
});
