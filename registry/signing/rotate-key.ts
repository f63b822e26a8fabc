import type { Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import type { LogInTransaction } from '../rules/log-event.ts';
import type { KeyLife } from './contract.ts';
import type { KeyStore } from './key-store.ts';

export interface RotateKeyPorts {
  keys: KeyStore;
  registerKey: Registry['registerKey'];
  audit: Audit;
  logEvent: LogInTransaction;
  nowMs: () => number;
}

/** Within one transaction. */
export const rotateKey =
  ({ keys, registerKey, audit, logEvent, nowMs }: RotateKeyPorts): KeyLife['rotate'] =>
  async (actor, keyId, { publicKeyPem, label, overlapSeconds }) => {
    const old = await keys.lock(keyId);
    if (old?.organisationId !== actor.organisation.id) throw new RegistryRefusal('key-unknown');
    const successor = await registerKey(actor, { publicKeyPem, label });
    if (old.successorId === successor.keyId) return { key: shown((await keys.find(keyId))!), successor };
    const useless = successor.keyId === keyId || successor.revokedAt !== null || successor.retiresAt !== null;
    if (old.revokedAt !== null || old.successorId !== null || useless) {
      const message = useless ? 'The successor has to be another key that still signs.' : undefined;
      throw new RegistryRefusal('key-state-invalid', message, { successorId: old.successorId });
    }
    const retiresAt = new Date(nowMs() + overlapSeconds * 1_000);
    await keys.save(keyId, { retiresAt, successorId: successor.keyId });
    await audit({
      action: 'key.rotate',
      actor,
      organisationId: old.organisationId,
      subject: { kind: 'key', id: keyId },
      after: { successorId: successor.keyId, retiresAt: retiresAt.toISOString() },
    });
    await logEvent({ event: 'key.rotate', publisher: old.publisher, keyId, successorId: successor.keyId });
    return { key: shown((await keys.find(keyId))!), successor };
  };

const shown = <Key extends { organisationId: string }>({ organisationId: _, ...key }: Key) => key;
