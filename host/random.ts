import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Bytes fetched from the operating system's generator at once: a call for each invocation costs more than its routing. */
const POOL_BYTES = 16 * 1024;
const UUID_BYTES = 16;
const SEED_BYTES = 32;

const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

/** Fresh random bytes, handed out once each; good until the next call. */
function takeBytes(count: number): Buffer {
  if (used + count > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return pool.subarray(used - count, used);
}

/** UUIDv7 (RFC 9562). Those of one millisecond are in no order; where order matters, take `v7` of uuid as it is. */
export const newId = (): string => v7({ random: takeBytes(UUID_BYTES) });

/** 64 hex digits: the key of one invocation's random generator. */
export const newSeed = (): string => takeBytes(SEED_BYTES).toString('hex');
