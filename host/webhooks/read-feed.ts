import { RegistryRefusal } from '../../registry/index.ts';
import type { News } from './await-news.ts';
import type { EventsFeed, FeedPage, FeedRequest } from './contract.ts';
import type { FeedStore } from './feed-store.ts';

export interface FeedPorts {
  store: FeedStore;
  awaitNews: News['wait'];
  nowMs(): number;
}

const LIMIT = 50;
/** Positions below 10^15 are exact numbers. */
const CURSOR = /^\d{1,15}$/;

/** The feed of an organisation. A cursor is the position that was read last. */
export const createFeed = ({ store, awaitNews, nowMs }: FeedPorts): EventsFeed => ({
  read: async (actor, request, signal) => {
    const { id } = actor.organisation;
    const { first, last } = await store.bounds(id);
    const from = positionOf(request.after, last);
    const { limit = LIMIT, types, waitSeconds = 0 } = request;
    const untilMs = nowMs() + waitSeconds * 1_000;
    // Everything before the first was deleted; where nothing is left nobody knows, and a later page tells.
    const missed = request.after !== undefined && first > from + 1;
    for (;;) {
      const found = await store.after(id, from, limit + 1, types);
      const leftMs = untilMs - nowMs();
      const goOn = found.length === 0 && leftMs > 0 && (await awaitNews(id, leftMs, signal));
      if (!goOn) return pageOf(found, { limit, from, missed });
    }
  },
});

function positionOf(after: FeedRequest['after'], last: number): number {
  if (after === undefined) return 0;
  if (after === 'latest') return last;
  if (!CURSOR.test(after)) throw new RegistryRefusal('cursor-invalid');
  return Number(after);
}

function pageOf(
  found: FeedPage['items'],
  { limit, from, missed }: { limit: number; from: number; missed: boolean },
): FeedPage {
  const items = found.slice(0, limit);
  return { items, cursor: String(items.at(-1)?.position ?? from), more: found.length > limit, missed };
}
