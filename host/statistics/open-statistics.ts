import type { Knex } from 'knex';
import type { Log } from '../http/log.ts';
import { every } from '../repeat-work.ts';
import { createStatistics } from './compose.ts';
import type { Statistics } from './contract.ts';
import { dayCounter } from './count-days.ts';
import { statisticsStore } from './statistics-store.ts';

const COUNT_INTERVAL_MS = 5 * 60_000;

/** Statistics for publishers, counted every five minutes. `opened` collects how to stop that. */
export function openStatistics(
  ports: { scoped: Knex; system: Knex; log: Log; nowMs(): number },
  opened: (() => Promise<unknown>)[],
): { statistics: Statistics } {
  const { scoped, system, log, nowMs } = ports;
  const { count } = dayCounter(system, nowMs);
  opened.push(every(COUNT_INTERVAL_MS, async () => void (await count()), log));
  return { statistics: createStatistics({ store: statisticsStore(scoped), nowMs }) };
}
