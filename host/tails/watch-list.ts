/** Longer than the time between two calls of `watch` by whoever follows, so that a lost message costs nothing. */
const WATCHED_MS = 25_000;
const WATCHED_MAX = 1_000;
const PREFIX = 'tails:';

/** Which installations somebody follows, on any host. */
export interface WatchList {
  /** One look into memory. */
  isWatched(installationId: string): boolean;
  /** True where the payload of a notification was about this list and about nothing else. */
  onPayload(payload: string): boolean;
  /** Tells every host, this one included. */
  watch(installationId: string): Promise<void>;
}

export function createWatchList({
  notify,
  nowMs,
}: {
  notify(payload: string): Promise<void>;
  nowMs(): number;
}): WatchList {
  const untilMs = new Map<string, number>();
  const add = (id: string) => {
    for (const [each, ends] of untilMs) if (ends <= nowMs()) untilMs.delete(each);
    if (untilMs.size < WATCHED_MAX || untilMs.has(id)) untilMs.set(id, nowMs() + WATCHED_MS);
  };
  return {
    isWatched: (id) => untilMs.size > 0 && (untilMs.get(id) ?? 0) > nowMs(),
    onPayload: (payload) => {
      if (!payload.startsWith(PREFIX)) return false;
      add(payload.slice(PREFIX.length));
      return true;
    },
    watch: (id) => {
      add(id);
      return notify(`${PREFIX}${id}`);
    },
  };
}
