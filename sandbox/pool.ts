import path from 'node:path';
import { Piscina } from 'piscina';
import type { LaneTask } from './lane.ts';

/** There in what bundle-cordon.ts makes: files of JavaScript, and none of TypeScript. */
declare const __dirname: string | undefined;

/**
 * Starts one thread for each task, which owns it for life. Resolves when the first lane ends (the host has closed its
 * descriptor), rejects when one dies; a dead lane cannot be replaced, because this process may no longer read its code.
 */
export async function runLanes(tasks: LaneTask[]): Promise<void> {
  const pool = new Piscina({
    filename:
      typeof __dirname === 'string' ? path.join(__dirname, 'lane.js') : new URL('./lane.ts', import.meta.url).href,
    minThreads: tasks.length,
    maxThreads: tasks.length,
    concurrentTasksPerWorker: 1,
    maxQueue: 0,
    // A lane blocks on its own descriptor, not on the pool's counter.
    atomics: 'disabled',
    recordTiming: false,
  });
  await Promise.race(tasks.map((task) => pool.run(task)));
}
