import type { PublisherKey } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import type { LogInTransaction } from '../rules/log-event.ts';
import { may } from '../rules/token-rights.ts';
import type { KeyLife } from './contract.ts';
import type { KeyStore } from './key-store.ts';

export interface RevokeKeyPorts {
  keys: KeyStore;
  /** Of a publisher; everybody locks plugins before keys, and keys before releases. */
  lockPlugins(organisationId: string): Promise<void>;
  /** Blocks what the registry received from then on under this key; ids of those that were not blocked yet. */
  blockReleases(organisationId: string, key: { keyId: string; since: Date }, at: string): Promise<string[]>;
  audit: Audit;
  logEvent: LogInTransaction;
  nowMs: () => number;
}

/** Within one transaction: publishes with this key either came before, and are blocked as well, or find it revoked. */
export const revokeKey =
  ({ keys, lockPlugins, blockReleases, audit, logEvent, nowMs }: RevokeKeyPorts): KeyLife['revoke'] =>
  async (actor, keyId, { compromisedSince }) => {
    const known = await keys.find(keyId);
    if (known === null || !(known.organisationId === actor.organisation.id || may(actor, 'release:review')))
      throw new RegistryRefusal('key-unknown');
    if (compromisedSince !== undefined) await lockPlugins(known.organisationId);
    // Keys are never deleted, and stay with their publisher.
    const found = (await keys.lock(keyId))!;
    const { organisationId, publisher, ...key } = found;
    const since = compromisedSince === undefined ? null : new Date(compromisedSince);
    if (since !== null && since.getTime() > nowMs())
      throw new RegistryRefusal('key-state-invalid', 'A key cannot be compromised from a time on that is yet to come.');
    if (!tellsMore(key, since)) return { key, blockedReleaseIds: [] };
    const at = new Date(nowMs());
    await keys.save(keyId, {
      ...(key.revokedAt === null && { revokedAt: at }),
      ...(since && { compromisedSince: since }),
    });
    const blockedReleaseIds = since ? await blockReleases(organisationId, { keyId, since }, at.toISOString()) : [];
    const told: { compromisedSince?: string } = since ? { compromisedSince: since.toISOString() } : {};
    await audit({
      action: 'key.revoke',
      actor,
      organisationId,
      subject: { kind: 'key', id: keyId },
      before: { revokedAt: key.revokedAt, compromisedSince: key.compromisedSince },
      after: { compromisedSince: told.compromisedSince ?? null, blockedReleases: blockedReleaseIds.length },
    });
    await logEvent({ event: 'key.revoke', publisher, keyId, ...told });
    const { organisationId: _, ...after } = (await keys.find(keyId))!;
    return { key: after, blockedReleaseIds };
  };

/** Sent again it changes nothing; a time may only move back. */
const tellsMore = ({ revokedAt, compromisedSince }: PublisherKey, since: Date | null): boolean =>
  revokedAt === null ||
  (since !== null && (compromisedSince === null || since.getTime() < Date.parse(compromisedSince)));
