import type { Principal, Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { isUuid } from '../rules/ids.ts';
import { mayGive } from '../rules/permissions.ts';
import { may } from '../rules/token-rights.ts';
import { tokensOf } from './issue-token.ts';
import type { TokenScope, TokenStore } from './token-store.ts';

/** Idempotent. A foreign token is as unknown as one that does not exist. Refuses with: token-unknown. */
export const revokeToken =
  (ports: { tokens: TokenStore; audit: Audit; nowMs: () => number }): Registry['revokeToken'] =>
  async (actor, tokenId) => {
    // A token may always end itself, for instance when it has leaked.
    const itself = tokenId === actor.credentialId;
    const allowed = itself || (may(actor, 'token:issue') && !isConfined(actor));
    const scope = itself ? { organisationId: actor.organisation.id } : tokensOf(actor);
    const above = !itself && actor.account === null && (await isAbove(ports.tokens, actor, tokenId, scope));
    const revoked =
      allowed && !above && isUuid(tokenId) ? await ports.tokens.revoke(tokenId, scope, new Date(ports.nowMs())) : null;
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

/** Whether a token of the organisation itself would end one that may do more than it. */
async function isAbove(tokens: TokenStore, actor: Principal, tokenId: string, scope: TokenScope): Promise<boolean> {
  if (may(actor, 'token:manage') || !isUuid(tokenId)) return false;
  const found = await tokens.lock(tokenId, scope);
  return found !== null && !mayGive(actor.role, found.organisation.kind, found.role);
}

/** A token for some installations, one plugin or some addresses has no business with other tokens. */
const isConfined = ({ restrictions: { installationIds, plugin, addressRanges } = {} }: Principal): boolean =>
  installationIds !== undefined || plugin !== undefined || addressRanges !== undefined;
