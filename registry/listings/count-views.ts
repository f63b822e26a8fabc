import { createHmac, randomBytes } from 'node:crypto';
import type { ViewCount, ViewStore } from './view-store.ts';

export interface CountViewsPorts {
  store: ViewStore;
  nowMs(): number;
  /** Callers that are remembered on one day; past that, those who came first may be counted again. */
  remembered?: number;
}

export interface ViewCounter {
  /** Counts one look of `viewer` (an organisation, an account or an address), who counts once a day for each plugin, about. */
  count(pluginId: string, viewer: string): void;
  /** Writes what was counted. What cannot be written is kept for the next time. */
  flush(): Promise<void>;
}

const REMEMBERED = 200_000;

/**
 * Counts in memory. Who looked is known as a keyed hash only, whose key is thrown away at the end of the day: nothing that is kept or
 * written tells who looked at what.
 */
export function countViews({ store, nowMs, remembered = REMEMBERED }: CountViewsPorts): ViewCounter {
  let counts = new Map<string, ViewCount>();
  let today = '';
  let key = randomBytes(32);
  let seen = new Set<string>();
  const add = ({ pluginId, day, count }: ViewCount) => {
    const found = counts.get(`${pluginId} ${day}`);
    if (found) found.count += count;
    else counts.set(`${pluginId} ${day}`, { pluginId, day, count });
  };
  return {
    count(pluginId, viewer) {
      const day = new Date(nowMs()).toISOString().slice(0, 10);
      if (day !== today) {
        today = day;
        key = randomBytes(32);
        seen = new Set();
      }
      const who = createHmac('sha256', key).update(`${pluginId} ${viewer}`).digest('base64url').slice(0, 16);
      if (seen.has(who)) return;
      if (seen.size >= remembered) seen.delete(seen.values().next().value!);
      seen.add(who);
      add({ pluginId, day, count: 1 });
    },
    async flush() {
      if (counts.size === 0) return;
      const unwritten = [...counts.values()];
      counts = new Map();
      try {
        await store.add(unwritten);
      } catch (error) {
        for (const each of unwritten) add(each);
        throw error;
      }
    },
  };
}
