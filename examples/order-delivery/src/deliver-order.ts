/**
 * One order, from paid to delivered, in steps that may be cut off anywhere and repeated by anybody.
 *
 * The order's document is the plan: it names the keys that the order reaches for *before* it takes them. So whatever a
 * crash leaves behind, the next delivery of the event reads the plan and goes on, and two deliveries at the same time work
 * on the same plan: each change of it is a compare-and-set, and the loser reads again.
 *
 *   (nothing) --plan keys--> open --take keys; replace those that others got--> open --all taken--> delivered
 *
 * A delivered order never changes again. Keys that an open order has taken stay set aside for it: it was paid.
 */
import type { HookPayload, Kv } from '@gatehouse/plugin-sdk';
import { compareAndSet } from './compare-and-set.ts';
import { pickCandidates, takeKey } from './key-pool.ts';
import { Refusal } from './refusal.ts';
import { segment } from './segment.ts';

type Order = HookPayload<'order.paid'>;

interface Line {
  sku: string;
  quantity: number;
}

interface Claim {
  sku: string;
  key: string;
  taken: boolean;
}

export interface OrderDocument {
  orderId: string;
  state: 'open' | 'delivered';
  wanted: Line[];
  claims: Claim[];
  /** ISO 8601; null while the order is open. */
  deliveredAt: string | null;
}

/** A delivery as shops see it. */
export interface Delivery {
  orderId: string;
  deliveredAt: string;
  items: { sku: string; keys: string[] }[];
}

const KEYS_PER_ORDER_MAX = 100;
/** Each round that fails means that somebody else moved on; this many in a row do not happen to a healthy shop. */
const ROUNDS_MAX = 40;

const orderEntry = (orderId: string): string => `order/${segment(orderId)}`;

/**
 * Delivers an order exactly once; repeated and concurrent calls get the same delivery. `isNew` is true for the one call
 * that completed it. Refuses with: product-unknown, pool-empty, order-too-large, order-busy.
 */
export async function deliverOrder(kv: Kv, order: Order): Promise<{ delivery: Delivery; isNew: boolean }> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const entry = await kv.get<OrderDocument>(orderEntry(order.orderId));
    const document = entry?.value ?? newDocument(order);
    if (document.state === 'delivered') return { delivery: deliveryOf(document), isNew: false };
    const next = await advance(kv, document);
    if (await save(kv, next, entry?.version ?? 0)) {
      if (next.state === 'delivered') return { delivery: deliveryOf(next), isNew: true };
    }
  }
  throw new Refusal(
    'order-busy',
    503,
    `order "${order.orderId}" is being delivered elsewhere; deliver the event again`,
  );
}

function newDocument({ orderId, lines }: Order): OrderDocument {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  const wanted = [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
  const total = wanted.reduce((sum, { quantity }) => sum + quantity, 0);
  if (total > KEYS_PER_ORDER_MAX) {
    throw new Refusal('order-too-large', 422, `one order gets at most ${KEYS_PER_ORDER_MAX} keys, not ${total}`);
  }
  return { orderId, state: 'open', wanted, claims: [], deliveredAt: null };
}

/** One step: takes what the plan names, or plans what is missing. Never both, for a key must be planned before it is taken. */
async function advance(kv: Kv, document: OrderDocument): Promise<OrderDocument> {
  const untaken = document.claims.some(({ taken }) => !taken);
  const claims = untaken ? await takeClaims(kv, document) : document.claims;
  const missing = missingOf(document.wanted, claims);
  if (missing.length === 0 && claims.every(({ taken }) => taken)) {
    return { ...document, claims, state: 'delivered', deliveredAt: new Date().toISOString() };
  }
  const tried = document.claims.map(({ key }) => key);
  const planned = await Promise.all(missing.map((line) => planClaims(kv, line, tried)));
  return { ...document, claims: [...claims, ...planned.flat()] };
}

/** Claims of which each key is now the order's own; keys that another order got are dropped. */
async function takeClaims(kv: Kv, { orderId, claims }: OrderDocument): Promise<Claim[]> {
  const taken = await Promise.all(
    claims.map(async (claim) => claim.taken || (await takeKey(kv, claim.sku, claim.key, orderId))),
  );
  return claims.filter((_, at) => taken[at]).map((claim) => ({ ...claim, taken: true }));
}

async function planClaims(kv: Kv, { sku, quantity }: Line, tried: string[]): Promise<Claim[]> {
  const keys = await pickCandidates(kv, sku, quantity, tried);
  return keys.map((key) => ({ sku, key, taken: false }));
}

const missingOf = (wanted: Line[], claims: Claim[]): Line[] =>
  wanted
    .map(({ sku, quantity }) => ({ sku, quantity: quantity - claims.filter((claim) => claim.sku === sku).length }))
    .filter(({ quantity }) => quantity > 0);

const save = (kv: Kv, document: OrderDocument, ifVersion: number): Promise<boolean> =>
  compareAndSet(kv, orderEntry(document.orderId), document, ifVersion);

/** What is known of an order; null where it was never paid. */
export async function findOrder(kv: Kv, orderId: string): Promise<Delivery | 'open' | null> {
  const entry = await kv.get<OrderDocument>(orderEntry(orderId));
  if (entry === null) return null;
  return entry.value.state === 'delivered' ? deliveryOf(entry.value) : 'open';
}

function deliveryOf({ orderId, deliveredAt, wanted, claims }: OrderDocument): Delivery {
  const items = wanted.map(({ sku }) => ({
    sku,
    keys: claims.filter((claim) => claim.sku === sku).map(({ key }) => key),
  }));
  return { orderId, deliveredAt: deliveredAt!, items };
}
