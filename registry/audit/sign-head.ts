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
    /** Whether the key still signs at a time. */
    signs(atMs: number): Promise<boolean>;
    nowMs: () => number;
  }) =>
  async (): Promise<AuditHead | null> => {
    const tail = await ports.store.tail();
    const last = await ports.store.lastHead();
    if (tail === null || tail.sequence <= (last?.sequence ?? 0n) || !(await ports.signs(ports.nowMs()))) return null;
    const signedAt = new Date(ports.nowMs()).toISOString();
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
