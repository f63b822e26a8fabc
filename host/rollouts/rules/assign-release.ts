import { createHash } from 'node:crypto';

/**
 * Whether a key (of a caller, an event or an invocation) belongs to the canary's share. The same key gets the same answer on
 * every host and for as long as the rollout runs; a larger share keeps whom it had and adds others.
 */
export function isInCanary(rolloutId: string, key: string, percent: number): boolean {
  const hash = createHash('sha256').update(`${rolloutId} ${key}`).digest();
  return hash.readUInt32BE(0) < (percent / 100) * 2 ** 32;
}
