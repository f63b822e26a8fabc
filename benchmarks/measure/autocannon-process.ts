import autocannon from 'autocannon';
import { percentile } from './statistics.ts';

/** What the process is asked for: one measurement of one address. */
export interface LoadOrder {
  url: string;
  headers: Record<string, string>;
  connections: number;
  seconds: number;
}

export interface LoadResult {
  n: number;
  /** Answers that were not 2xx, and connections that broke. */
  failures: number;
  requestsPerSecond: number;
  p50Us: number;
  p99Us: number;
}

/** Every answer's time is kept, because autocannon's own histogram knows whole milliseconds only. */
function measure({ url, headers, connections, seconds }: LoadOrder): Promise<LoadResult> {
  const timesUs: number[] = [];
  let [firstMs, lastMs] = [0, 0];
  return new Promise((resolve, reject) => {
    const load = autocannon({ url, headers, connections, duration: seconds }, (error, result) => {
      if (error) return reject(error);
      const sorted = Float64Array.from(timesUs).sort();
      resolve({
        n: timesUs.length,
        failures: result.non2xx + result.errors + result.timeouts,
        requestsPerSecond: timesUs.length / ((lastMs - firstMs) / 1000),
        p50Us: percentile(sorted, 0.5),
        p99Us: percentile(sorted, 0.99),
      });
    });
    load.on('response', (_client, _status, _bytes, responseTimeMs) => {
      lastMs = performance.now();
      if (firstMs === 0) firstMs = lastMs;
      timesUs.push(responseTimeMs * 1000);
    });
  });
}

process.once('message', async (order: LoadOrder) => {
  const result = await measure(order);
  process.send!(result);
  process.disconnect!();
});
