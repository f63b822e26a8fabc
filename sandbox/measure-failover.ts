import { parseArgs } from 'node:util';
import { answerOf, jobIn, openTestSandbox, until } from './test-sandbox.ts';

/**
 * What neighbours notice of the death and of the recycling of cordons. One cordon and its spare: the case in which nothing else
 * can take over. `node sandbox/measure-failover.ts --kills 60 --recycles 20`
 */
const { values } = parseArgs({ options: { kills: { type: 'string' }, recycles: { type: 'string' } } });
const kills = Number(values.kills ?? 60);
const recycles = Number(values.recycles ?? 20);
const HONEST = jobIn('return (await ctx.kv.get("a")).value;');
const limits = { wallMs: 60_000 };

const quantile = (sorted: number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
const inMs = (times: number[]): string => {
  const sorted = times.toSorted((a, b) => a - b);
  const [median, p99, most] = [quantile(sorted, 0.5), quantile(sorted, 0.99), sorted.at(-1)!];
  return `median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${most.toFixed(1)} ms (${times.length} times)`;
};
const timed = async (work: Promise<unknown>): Promise<number> => {
  const startedAtMs = performance.now();
  await work;
  return performance.now() - startedAtMs;
};

async function measureDeaths(): Promise<void> {
  const rig = await openTestSandbox({ spare: true });
  const pidOf = (kind: string) =>
    rig.sandbox.status().cordons.find((cordon) => cordon.kind === kind && cordon.state === 'ready')?.pid;
  const [quiet, running, sent]: [number[], number[], number[]] = [[], [], []];
  for (let kill = 0; kill < kills; kill++) {
    await until(() => pidOf('spare') !== undefined);
    quiet.push(await timed(rig.run(HONEST, { limits })));
    let release = () => {};
    const held = rig.run(HONEST, {
      limits,
      hostCall: () =>
        new Promise((resolve) => {
          release = () => resolve({ ok: true, json: '{"key":"a","value":1,"version":1}' });
        }),
    });
    const calls = rig.calls.length;
    await until(() => rig.calls.length > calls);
    process.kill(pidOf('pool')!, 'SIGKILL');
    release();
    const [heldMs, sentMs] = await Promise.all([timed(held), timed(rig.run(HONEST, { installation: 'two', limits }))]);
    running.push(heldMs);
    sent.push(sentMs);
    if (answerOf(await held) !== 1) throw new Error('a wrong answer');
  }
  process.stdout.write(`deaths of the only cordon, with a spare:
  a call on a quiet sandbox            ${inMs(quiet)}
  from the kill to the answer of a call that was running  ${inMs(running)}
  from the kill to the answer of a call of a neighbour    ${inMs(sent)}
`);
  await rig.close();
}

async function measureRecycling(): Promise<void> {
  const rig = await openTestSandbox({ spare: true, cordonAgeMsMax: 1 });
  const times: number[] = [];
  let failed = 0;
  let repeated = 0;
  while (rig.sandbox.status().cordonsRecycled < recycles) {
    const work = rig.run(HONEST, { limits });
    times.push(await timed(work.catch(() => failed++)));
    const outcome = await work.catch(() => null);
    if (outcome && outcome.usage.executions > 1) repeated++;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  process.stdout.write(`recycling of the only cordon, ${recycles} times, under ${times.length} calls:
  failed ${failed}, executed twice ${repeated}, deaths ${rig.deaths.length}
  a call                               ${inMs(times)}
`);
  await rig.close();
}

await measureDeaths();
await measureRecycling();
