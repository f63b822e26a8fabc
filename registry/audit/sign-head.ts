import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { keyIdOf, keyOfTime, type RegistryKeys } from '../../plugins-sdk/contract/index.ts';
import { headText } from '../rules/audit-entry.ts';
import type { AuditHead, AuditReaderStore } from './audit-reader-store.ts';

/**
 * Signs the end of the chain with the registry's Ed25519 key and keeps it; null where it was signed before, or the key has
 * retired: nobody would believe it. Hosts may do so at once.
 * Refuses nothing.
 */
export const signHead =
  (ports: {
    store: AuditReaderStore;
    signingKey: KeyObject;
    /** The time that the key signs with; null where it has retired. */
    signingTimeMs(nowMs: number): Promise<number | null>;
    nowMs: () => number;
  }) =>
  async (): Promise<AuditHead | null> => {
    const tail = await ports.store.tail();
    const last = await ports.store.lastHead();
    if (tail === null || tail.sequence <= (last?.sequence ?? 0n)) return null;
    const atMs = await ports.signingTimeMs(ports.nowMs());
    if (atMs === null) return null;
    const signedAt = new Date(atMs).toISOString();
    const signature = sign(null, headText({ ...tail, signedAt }), ports.signingKey);
    const head = { ...tail, signedAt, keyId: keyIdOf(createPublicKey(ports.signingKey as never)), signature };
    await ports.store.addHead(head);
    return head;
  };

/** Whether one of these keys signed it, in the time in which it signs. */
export function isSignedBy(head: AuditHead, keys: RegistryKeys): boolean {
  const key = keyOfTime(keys, head.keyId, head.signedAt);
  return key !== null && verify(null, headText(head), key, head.signature);
}
