import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** How often so many processes together do the work of `/burn` in a second. */
export async function measureBareWork(processes: number, seconds: number): Promise<number> {
  const rates = await Promise.all(
    Array.from({ length: processes }, async () => {
      const child = fork(path.join(import.meta.dirname, 'bare-work-process.ts'));
      child.send({ seconds });
      const [rate] = (await once(child, 'message')) as [number];
      return rate;
    }),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}
