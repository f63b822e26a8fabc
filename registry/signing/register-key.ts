import { createPublicKey } from 'node:crypto';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import type { Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import type { LogInTransaction } from '../rules/log-event.ts';
import { storedText } from '../rules/stored-text.ts';
import type { KeyStore } from './key-store.ts';

/** Ed25519 only; idempotent by key, whose first label stays. Refuses with: key-invalid, key-taken. */
export const registerKey =
  (ports: { keys: KeyStore; audit: Audit; logEvent: LogInTransaction; newId: () => string }): Registry['registerKey'] =>
  async (actor, { publicKeyPem, label }) => {
    const key = readPublicKey(publicKeyPem);
    const organisationId = actor.organisation.id;
    const inserted = await ports.keys.insert({ id: ports.newId(), organisationId, label: storedText(label), ...key });
    const stored = await ports.keys.find(key.keyId);
    if (stored?.organisationId !== organisationId)
      throw new RegistryRefusal('key-taken', undefined, { keyId: key.keyId });
    await ports.audit({
      action: 'key.register',
      actor,
      organisationId,
      subject: { kind: 'key', id: key.keyId },
      after: { label: stored.label },
      outcome: inserted ? 'done' : 'unchanged',
    });
    const { slug: publisher } = actor.organisation;
    if (inserted) await ports.logEvent({ event: 'key.register', publisher, keyId: key.keyId });
    const { organisationId: _, ...shown } = stored;
    return shown;
  };

/** Stored in the one form that we write, not in the one that was sent. */
function readPublicKey(pem: string): { keyId: string; publicKeyPem: string } {
  // node:crypto would derive the public key from a private one without a word.
  if (/PRIVATE KEY/.test(pem)) {
    throw new RegistryRefusal(
      'key-invalid',
      'This is a private key; never send it anywhere. Make a new pair and register its public key.',
    );
  }
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ed25519') {
      return { keyId: keyIdOf(key), publicKeyPem: key.export({ type: 'spki', format: 'pem' }) as string };
    }
  } catch {
    // Fall through: unreadable and of another kind get the same answer.
  }
  throw new RegistryRefusal('key-invalid');
}
