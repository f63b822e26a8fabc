import autocannon from 'autocannon';
import { percentile } from './statistics.ts';

/** What the process is asked for: one measurement of one address. */
export interface LoadOrder {
  url: string;
  headers: Record<string, string>;
  connections: number;
  seconds: number;
  /** GET where absent. */
  method?: string;
  body?: string;
  /** Asked for in turn, in place of the path of `url`. */
  paths?: string[];
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
function measure({ url, headers, connections, seconds, method = 'GET', body, paths }: LoadOrder): Promise<LoadResult> {
  const timesUs: number[] = [];
  let [firstMs, lastMs] = [0, 0];
  return new Promise((resolve, reject) => {
    const request = { method: method as 'GET', headers, ...(body !== undefined && { body }) };
    const requests = (paths ?? [new URL(url).pathname]).map((path) => ({ ...request, path }));
    const load = autocannon({ url, connections, duration: seconds, requests }, (error, result) => {
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
