import type { Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit, AuditEntry } from '../rules/audit-entry.ts';

const isBadSignature = (error: unknown): error is RegistryRefusal =>
  error instanceof RegistryRefusal && error.code === 'release-signature-invalid';

async function noting<Result>(audit: Audit, work: Promise<Result>, entry: () => AuditEntry): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    // Written by itself: the transaction of what was refused is undone.
    if (isBadSignature(error)) await audit({ ...entry(), outcome: 'refused' });
    throw error;
  }
}

/** The same use case; a release that is refused for its signature leaves an entry. */
export const auditRefusedPublish =
  (audit: Audit, publish: Registry['publishRelease']): Registry['publishRelease'] =>
  (actor, command) =>
    noting(audit, publish(actor, command), () => ({
      action: 'release.publish',
      actor,
      organisationId: actor.organisation.id,
      subject: { kind: 'organisation', id: actor.organisation.id },
    }));

/** The same use case; a stored release whose signatures do not fit any more leaves an entry. */
export const auditRefusedLoad =
  (audit: Audit, load: Registry['loadBundle']): Registry['loadBundle'] =>
  (bundleDigest, releaseId) =>
    noting(audit, load(bundleDigest, releaseId), () => ({
      action: 'release.load',
      actor: { via: 'system', part: 'load' },
      organisationId: null,
      subject: { kind: 'bundle', id: bundleDigest },
    }));
