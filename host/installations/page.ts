import { type Page, RegistryRefusal } from '../../registry/index.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The id that a page ended with. Refuses with: cursor-invalid. */
export function readCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString();
  if (!UUID.test(id)) throw new RegistryRefusal('cursor-invalid');
  return id;
}

/** A page of at most `limit` items out of `limit + 1` that were read. */
export function toPage<Item extends { id: string }>(found: Item[], limit: number): Page<Item> {
  const items = found.slice(0, limit);
  const more = found.length > limit ? items.at(-1) : undefined;
  return { items, nextCursor: more ? Buffer.from(more.id).toString('base64url') : null };
}
