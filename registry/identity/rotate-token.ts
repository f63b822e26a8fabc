import type { Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import { isUuid } from '../rules/ids.ts';
import { mayGive } from '../rules/permissions.ts';
import { may } from '../rules/token-rights.ts';
import { SECRET_RANDOM_BYTES, secretHash, secretOf } from '../rules/token-secret.ts';
import { type IssueTokenPorts, tokensOf } from './issue-token.ts';

/**
 * A successor with the same role, restrictions and end; the old one works beside it for the overlap. A token may rotate itself: its
 * successor can do nothing that it could not. Once only, however often it is asked at once.
 * Refuses with: token-unknown, role-not-allowed, token-rotated.
 */
export const rotateToken =
  ({ tokens, audit, newId, randomBytes, nowMs }: IssueTokenPorts & { nowMs: () => number }): Registry['rotateToken'] =>
  async (actor, tokenId, { overlapSeconds }) => {
    const itself = tokenId === actor.credentialId;
    const scope = itself ? { organisationId: actor.organisation.id } : tokensOf(actor);
    const allowed = itself || (may(actor, 'token:issue') && !actor.restrictions);
    const old = allowed && isUuid(tokenId) ? await tokens.lock(tokenId, scope) : null;
    if (old === null || old.token.revokedAt !== null || endOf(old.token.expiresAt) <= nowMs()) {
      throw new RegistryRefusal('token-unknown');
    }
    // Whoever sees the secret of the successor can do what it can.
    const own = old.organisation.id === actor.organisation.id;
    if (!itself && own && !mayGive(actor.role, old.organisation.kind, old.role)) {
      throw new RegistryRefusal('role-not-allowed', `As ${actor.role} you cannot rotate a token of ${old.role}.`);
    }
    const actorEndsAtMs = actor.via === 'token' && !itself ? (actor.expiresAtMs ?? Number.POSITIVE_INFINITY) : null;
    if (actorEndsAtMs !== null && endOf(old.token.expiresAt) > actorEndsAtMs) {
      throw new RegistryRefusal('role-not-allowed', 'The successor would outlive the token that asks for it.');
    }
    if (old.token.successorId !== null) {
      throw new RegistryRefusal('token-rotated', undefined, { successorId: old.token.successorId });
    }
    const secret = secretOf(old.role, randomBytes(SECRET_RANDOM_BYTES));
    const token = await tokens.insert({
      id: newId(),
      organisation: old.organisation,
      role: old.role,
      label: old.token.label,
      secretHash: secretHash(secret),
      expiresAt: old.token.expiresAt === null ? null : new Date(old.token.expiresAt),
      accountId: old.accountId,
      narrowing: old.narrowing,
    });
    const endsAtMs = Math.min(endOf(old.token.expiresAt), nowMs() + overlapSeconds * 1_000);
    await tokens.succeed(tokenId, { successorId: token.id, expiresAt: new Date(endsAtMs) });
    await audit({
      action: 'token.rotate',
      actor,
      organisationId: old.organisation.id,
      subject: { kind: 'token', id: tokenId },
      after: { successorId: token.id, endsAt: new Date(endsAtMs).toISOString() },
    });
    return { token, secret };
  };

const endOf = (expiresAt: string | null): number =>
  expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);

/**
 * Makes a person answer for a token of their organisation, so that it outlives the membership of who did before.
 * Refuses with: token-unknown, role-not-allowed, session-needed.
 */
export const adoptToken =
  ({ tokens, audit }: Pick<IssueTokenPorts, 'tokens' | 'audit'>): Registry['adoptToken'] =>
  async (actor, tokenId) => {
    const scope = { organisationId: actor.organisation.id };
    const found = may(actor, 'token:manage') && isUuid(tokenId) ? await tokens.lock(tokenId, scope) : null;
    if (found === null) throw new RegistryRefusal('token-unknown');
    if (actor.account === null || !mayGive(actor.role, actor.organisation.kind, found.role)) {
      throw new RegistryRefusal('role-not-allowed', 'Only a person who may issue such a token can answer for it.');
    }
    await tokens.setAccount(tokenId, actor.account.id);
    await audit({
      action: 'token.adopt',
      actor,
      organisationId: actor.organisation.id,
      subject: { kind: 'token', id: tokenId },
      before: { accountId: found.accountId },
      after: { accountId: actor.account.id },
    });
    return { ...found.token, account: { id: actor.account.id, username: actor.account.username } };
  };
