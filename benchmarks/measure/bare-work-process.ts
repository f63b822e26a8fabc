import { WORK_UNITS, work } from '../plugins/work/tasks.ts';

process.once('message', ({ seconds }: { seconds: number }) => {
  const startedAtMs = performance.now();
  let [count, elapsedMs] = [0, 0];
  while (elapsedMs < seconds * 1_000) {
    work(WORK_UNITS);
    count += 1;
    elapsedMs = performance.now() - startedAtMs;
  }
  process.send!(count / (elapsedMs / 1_000));
  process.disconnect!();
});
