import type { Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { isUuid } from '../rules/ids.ts';
import { can } from '../rules/permissions.ts';
import { actsForAll } from './issue-token.ts';
import type { TokenStore } from './token-store.ts';

/** Idempotent. A foreign token is as unknown as one that does not exist. Refuses with: token-unknown. */
export const revokeToken =
  (ports: { tokens: TokenStore; audit: Audit; nowMs: () => number }): Registry['revokeToken'] =>
  async (actor, tokenId) => {
    // A token may always end itself, for instance when it has leaked.
    const allowed = can(actor.role, 'token:issue') || tokenId === actor.credentialId;
    const scope = actsForAll(actor) ? null : actor.organisation.id;
    const revoked =
      allowed && isUuid(tokenId) ? await ports.tokens.revoke(tokenId, scope, new Date(ports.nowMs())) : null;
    if (revoked === null) throw new RegistryRefusal('token-unknown');
    await ports.audit({
      action: 'token.revoke',
      actor,
      organisationId: revoked.organisationId,
      subject: { kind: 'token', id: tokenId },
      outcome: revoked.changed ? 'done' : 'unchanged',
    });
    return revoked.token;
  };
