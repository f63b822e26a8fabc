import { Agent, get } from 'node:http';

/** What the process is asked for: calls of one address until it is told to stop. */
export interface NeighbourOrder {
  url: string;
  headers: Record<string, string>;
  /** Calls that are under way at a time. */
  calls: number;
}

/** Answers by status, while it was busy. */
export type NeighbourResult = Record<string, number>;

const PAUSE_MS_MAX = 1_000;

/** A caller who takes all that is given, and waits where the host says that it must. */
process.once('message', async ({ url, headers, calls }: NeighbourOrder) => {
  const answers: NeighbourResult = {};
  let stopped = false;
  const agent = new Agent({ keepAlive: true, maxSockets: calls });
  const callOnce = () =>
    new Promise<number>((resolve, reject) => {
      const request = get(url, { headers, agent }, (response) => {
        const status = String(response.statusCode);
        answers[status] = (answers[status] ?? 0) + 1;
        const pauseMs = Math.min(PAUSE_MS_MAX, Number(response.headers['retry-after'] ?? 0) * 1_000);
        response.resume().once('end', () => resolve(pauseMs));
      });
      request.once('error', reject);
    });
  process.once('message', () => {
    stopped = true;
  });
  process.send!('busy');
  await Promise.all(
    Array.from({ length: calls }, async () => {
      while (!stopped) {
        const pauseMs = await callOnce();
        if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }),
  );
  process.send!(answers);
  process.disconnect!();
});
