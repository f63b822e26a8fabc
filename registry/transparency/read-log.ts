import type { Page } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { cursorKey } from '../page.ts';
import type { LogItem } from './contract.ts';
import type { LogReaderStore } from './log-reader-store.ts';

export const ENTRIES_PAGE_MAX = 1_000;
const PLACE = /^(?:0|[1-9]\d{0,14})$/;

/** In order. Refuses with: cursor-invalid, log-inconsistent. */
export const readEntries =
  (store: LogReaderStore) =>
  async (page: { from?: number; cursor?: string; limit?: number }): Promise<Page<LogItem>> => {
    const limit = Math.min(Math.max(Math.trunc(page.limit ?? ENTRIES_PAGE_MAX) || 1, 1), ENTRIES_PAGE_MAX);
    const from = Number(cursorKey(page, PLACE) ?? page.from ?? 0);
    const leaves = await store.leaves(from, limit + 1);
    const items = leaves.slice(0, limit).map(({ index, content }) => {
      if (content === null) throw new RegistryRefusal('log-inconsistent');
      return { index, entry: content };
    });
    return {
      items,
      nextCursor: leaves.length > limit ? Buffer.from(String(from + limit)).toString('base64url') : null,
    };
  };
