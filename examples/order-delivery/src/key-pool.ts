/**
 * The pool of one product. Each licence key has two entries:
 *
 *   key/<sku>/<key>    { orderId }  whose it is: null until one order takes it, and never changed after that
 *   free/<sku>/<key>   {}           an index of keys that are probably free, so that one is found without a search
 *
 * Only the first one decides. It changes hands by compare-and-set from the version at which it was loaded, so that of any
 * number of orders one gets the key. The index may lag behind after a crash; whoever stumbles over that puts it right.
 */
import type { Kv } from '@gatehouse/plugin-sdk';
import { compareAndSet } from './compare-and-set.ts';
import { Refusal } from './refusal.ts';
import { segment, textOf } from './segment.ts';

interface KeyOwner {
  orderId: string | null;
}

/** The version of an entry that was written once. */
const LOADED_VERSION = 1;
export const LOAD_KEYS_MAX = 200;
const KEY_LENGTH_MAX = 150;
/** More candidates than needed are read, so that orders at the same time seldom reach for the same key. */
const SPARE_CANDIDATES = 50;

const ownerEntry = (sku: string, key: string): string => `key/${segment(sku)}/${segment(key)}`;
const freePrefix = (sku: string): string => `free/${segment(sku)}/`;
const freeEntry = (sku: string, key: string): string => freePrefix(sku) + segment(key);
const productEntry = (sku: string): string => `product/${segment(sku)}`;

/** Adds keys to a product's pool. Loading a key again changes nothing, so a request may be repeated. */
export async function loadKeys(kv: Kv, sku: string, keys: string[]): Promise<{ added: number; known: number }> {
  await kv.set(productEntry(sku), {});
  const added = await Promise.all(keys.map((key) => loadKey(kv, sku, key)));
  const count = added.filter(Boolean).length;
  return { added: count, known: keys.length - count };
}

async function loadKey(kv: Kv, sku: string, key: string): Promise<boolean> {
  const isNew = await setOwner(kv, sku, key, null, 0);
  const owner = isNew ? null : await kv.get<KeyOwner>(ownerEntry(sku, key));
  // Also for a known key: a request that was cut short may have left it without its index entry.
  if (isNew || owner?.value.orderId === null) await kv.set(freeEntry(sku, key), {});
  return isNew;
}

/**
 * Picks keys that are probably free, at random so that orders at the same time spread out.
 * Refuses with: product-unknown, pool-empty.
 */
export async function pickCandidates(kv: Kv, sku: string, count: number, except: readonly string[]): Promise<string[]> {
  const limit = Math.min(1_000, count + except.length + SPARE_CANDIDATES);
  const { entries } = await kv.list({ prefix: freePrefix(sku), limit });
  const free = entries
    .map(({ key }) => textOf(key.slice(freePrefix(sku).length)))
    .filter((key) => !except.includes(key));
  if (free.length < count) throw await shortage(kv, sku, count, free.length);
  return shuffled(free).slice(0, count);
}

async function shortage(kv: Kv, sku: string, wanted: number, left: number): Promise<Refusal> {
  return (await kv.get(productEntry(sku))) === null
    ? new Refusal('product-unknown', 404, `nothing is sold as "${sku}"; load its keys with POST /pool/${sku} first`)
    : new Refusal(
        'pool-empty',
        409,
        `"${sku}" needs ${wanted} more and has ${left}; load keys and deliver the event again`,
      );
}

function shuffled(keys: string[]): string[] {
  const mixed = [...keys];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!];
  }
  return mixed;
}

/** Takes a key for an order; false where another order has it. Taking a key that is already the order's own is true. */
export async function takeKey(kv: Kv, sku: string, key: string, orderId: string): Promise<boolean> {
  const ours = await becomeOwner(kv, sku, key, orderId);
  await kv.delete(freeEntry(sku, key));
  return ours;
}

async function becomeOwner(kv: Kv, sku: string, key: string, orderId: string): Promise<boolean> {
  if (await setOwner(kv, sku, key, orderId, LOADED_VERSION)) return true;
  return (await kv.get<KeyOwner>(ownerEntry(sku, key)))?.value.orderId === orderId;
}

function setOwner(kv: Kv, sku: string, key: string, orderId: string | null, ifVersion: number): Promise<boolean> {
  const owner: KeyOwner = { orderId };
  return compareAndSet(kv, ownerEntry(sku, key), owner, ifVersion);
}

/** Free keys of a product, counted up to `most`. Null for a product that was never loaded. */
export async function countFree(kv: Kv, sku: string, most = 1_000): Promise<number | null> {
  if ((await kv.get(productEntry(sku))) === null) return null;
  return (await kv.list({ prefix: freePrefix(sku), limit: most })).entries.length;
}

/** The keys of a request to load. Refuses with: keys-invalid. */
export function readKeys(body: unknown): string[] {
  const keys = (body as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > LOAD_KEYS_MAX) {
    throw new Refusal('keys-invalid', 422, `send { "keys": [...] } with 1 to ${LOAD_KEYS_MAX} keys`);
  }
  const wrong = keys.findIndex((key) => typeof key !== 'string' || key.trim() === '' || key.length > KEY_LENGTH_MAX);
  if (wrong >= 0) {
    throw new Refusal('keys-invalid', 422, `keys[${wrong}] must be a text of 1 to ${KEY_LENGTH_MAX} characters`);
  }
  return [...new Set((keys as string[]).map((key) => key.trim()))];
}
