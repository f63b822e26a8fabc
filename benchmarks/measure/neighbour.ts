import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { NeighbourOrder, NeighbourResult } from './neighbour-process.ts';

/** Does `work` while somebody calls `order.url` as fast as the host lets them. Resolves with both results. */
export async function besideNeighbour<Result>(
  order: NeighbourOrder,
  work: () => Promise<Result>,
): Promise<{ result: Result; answers: NeighbourResult }> {
  const child = fork(path.join(import.meta.dirname, 'neighbour-process.ts'));
  try {
    child.send(order);
    await once(child, 'message');
    const result = await work();
    child.send('stop');
    const [answers] = (await once(child, 'message')) as [NeighbourResult];
    return { result, answers };
  } finally {
    child.kill();
  }
}
