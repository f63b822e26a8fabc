import type { Page, PageRequest } from './contract.ts';
import { RegistryRefusal } from './errors.ts';

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 100;

/** How many items a page holds: 1 to 100, 50 where nothing is said. */
export const pageLimit = ({ limit = LIMIT_DEFAULT }: PageRequest): number =>
  Math.min(Math.max(Math.trunc(limit) || 1, 1), LIMIT_MAX);

/** A page from one item more than `limit`, which tells whether there are more. `keyOf` names the last one in the cursor. */
export function pageOf<Row, Item>(
  rows: Row[],
  limit: number,
  toItem: (row: Row) => Item,
  keyOf: (row: Row) => string,
): Page<Item> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: items.map(toItem), nextCursor: more ? Buffer.from(keyOf(last)).toString('base64url') : null };
}

/** The key in a cursor; null without one. Refuses with: cursor-invalid, where it does not match `pattern`. */
export function cursorKey({ cursor }: PageRequest, pattern: RegExp): string | null {
  if (cursor === undefined) return null;
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!pattern.test(key)) throw new RegistryRefusal('cursor-invalid');
  return key;
}
