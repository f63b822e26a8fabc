import { randomFillSync } from 'node:crypto';

/** Bytes fetched from the operating system's generator at once: a call for each invocation costs more than its routing. */
const POOL_BYTES = 16 * 1024;
/** Of a UUIDv7: all but the 48 bits of time. */
const RANDOM_BYTES = 10;
const SEED_BYTES = 32;

const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

/** Where in the pool so many fresh random bytes begin, which are handed out once. */
function takeBytes(count: number): number {
  if (used + count > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return used - count;
}

/** UUIDv7 (RFC 9562). Those of one millisecond are in no order; where order matters, take `v7` of uuid as it is. */
export function newId(): string {
  const nowMs = Date.now();
  if (nowMs !== timeMs) {
    timeMs = nowMs;
    const hex = nowMs.toString(16).padStart(12, '0');
    timeText = `${hex.slice(0, 8)}-${hex.slice(8)}-`;
  }
  const at = takeBytes(RANDOM_BYTES);
  // Version 7 in the high half of one byte, the variant in the two highest bits of another.
  pool[at] = 0x70 | (pool[at]! & 0x0f);
  pool[at + 2] = 0x80 | (pool[at + 2]! & 0x3f);
  const hex = pool.toString('hex', at, at + RANDOM_BYTES);
  return `${timeText}${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8)}`;
}
let timeMs = -1;
let timeText = '';

/** 64 hex digits: the key of one invocation's random generator. */
export function newSeed(): string {
  const at = takeBytes(SEED_BYTES);
  return pool.toString('hex', at, at + SEED_BYTES);
}
