import type { ApiToken, Organisation, Principal, Registry, TokenNarrowing } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { isRoleOfKind, mayGive, PERMISSIONS, ROLES_OF_KIND, type TokenRole } from '../rules/permissions.ts';
import { storedText } from '../rules/stored-text.ts';
import { may } from '../rules/token-rights.ts';
import { SECRET_RANDOM_BYTES, secretHash, secretOf } from '../rules/token-secret.ts';
import { narrowingFaults } from './narrowing-faults.ts';
import type { OrganisationStore } from './organisation-store.ts';
import type { TokenScope, TokenStore } from './token-store.ts';

export interface IssueTokenPorts {
  organisations: Pick<OrganisationStore, 'findBySlug'>;
  tokens: TokenStore;
  audit: Audit;
  newId: () => string;
  randomBytes: (count: number) => Buffer;
}

/**
 * The secret leaves here and is kept nowhere. Refuses with: organisation-unknown, organisation-foreign, role-not-allowed,
 * token-restricted, token-restriction-invalid.
 */
export const issueToken =
  (ports: IssueTokenPorts): Registry['issueToken'] =>
  async (actor, { organisation: slug, role, label, expiresAt, ...narrowing }) => {
    requireIssuing(actor);
    // Before looking it up: whether a foreign organisation exists is not for everybody to know.
    if (!actsForAll(actor) && slug !== actor.organisation.slug) throw new RegistryRefusal('organisation-foreign');
    const organisation = await ports.organisations.findBySlug(slug);
    if (organisation === null) throw new RegistryRefusal('organisation-unknown', undefined, { organisation: slug });
    const roles = ROLES_OF_KIND[organisation.kind];
    if (!isRoleOfKind(organisation.kind, role)) {
      throw new RegistryRefusal(
        'role-not-allowed',
        `An organisation of kind ${organisation.kind} gives only these roles: ${roles.join(', ')}.`,
        { role, allowed: roles },
      );
    }
    const foreign = organisation.id !== actor.organisation.id;
    if (!foreign) requireNoMore(actor, role, narrowing);
    const faults = narrowingFaults({ actor, organisation, role, expiresAt, narrowing });
    if (faults.length > 0) throw new RegistryRefusal('token-restriction-invalid', undefined, { faults });
    const endsAtMs = actor.via === 'token' ? actor.expiresAtMs : undefined;
    const secret = secretOf(role, ports.randomBytes(SECRET_RANDOM_BYTES));
    const token = await ports.tokens.insert({
      id: ports.newId(),
      organisation,
      role,
      label: storedText(label),
      secretHash: secretHash(secret),
      expiresAt: expiresAt !== undefined ? new Date(expiresAt) : endsAtMs !== undefined ? new Date(endsAtMs) : null,
      accountId: foreign ? null : (actor.account?.id ?? null),
      narrowing,
    });
    await ports.audit({
      action: 'token.issue',
      actor,
      organisationId: organisation.id,
      subject: { kind: 'token', id: token.id },
      after: { role, label: token.label, expiresAt: token.expiresAt, ...shownNarrowing(narrowing) },
    });
    return { token, secret };
  };

/** Tokens of the platform's admins reach every organisation. */
export const actsForAll = (actor: Principal): boolean => actor.role === 'admin' && may(actor, 'token:manage');

/** Which tokens somebody sees and ends: all, those of the organisation, or those that they answer for. */
export const tokensOf = (actor: Principal): TokenScope => {
  if (actsForAll(actor)) return 'all';
  const organisationId = actor.organisation.id;
  if (may(actor, 'token:manage')) return { organisationId };
  // A token of the organisation itself answers for its like alone, and not for those of people.
  return { organisationId, accountId: actor.account?.id ?? null };
};

/** Refuses with: role-not-allowed, token-restricted. */
function requireIssuing(actor: Principal): void {
  if (!may(actor, 'token:issue')) {
    throw new RegistryRefusal('role-not-allowed', `As ${actor.role} you cannot issue tokens.`);
  }
  const { installationIds, plugin, addressRanges } = actor.restrictions ?? {};
  if (installationIds || plugin !== undefined || addressRanges) {
    throw new RegistryRefusal('token-restricted', 'A restricted token issues no others: they could do more than it.');
  }
}

/** A new token does no more than who issues it; only an owner appoints to roles that hold more. */
function requireNoMore(actor: Principal, role: TokenRole, { scopes }: TokenNarrowing): void {
  const asOwner = actor.account === null && !actor.restrictions && mayGive(actor.role, actor.organisation.kind, role);
  const missing = (scopes ?? PERMISSIONS[role]).filter((permission) => !may(actor, permission));
  if (asOwner || missing.length === 0) return;
  throw new RegistryRefusal(
    'role-not-allowed',
    `The token could do more than you: ${missing.join(', ')}. Choose another role, or \`scopes\` that you have.`,
    { role, missing },
  );
}

export const shownNarrowing = ({ scopes, installationIds, plugin, addressRanges }: TokenNarrowing) => ({
  ...(scopes && { scopes: [...scopes] }),
  ...(installationIds && { installationIds: [...installationIds] }),
  ...(plugin !== undefined && { plugin }),
  ...(addressRanges && { addressRanges: [...addressRanges] }),
});

/** A token with the role of a member, for which they answer: what logging in a device gives. */
export const issueForMember =
  ({ tokens, newId, randomBytes }: Pick<IssueTokenPorts, 'tokens' | 'newId' | 'randomBytes'>) =>
  async (wish: {
    organisation: Organisation;
    role: TokenRole;
    account: { id: string };
    label: string;
    expiresAt: Date;
  }): Promise<{ token: ApiToken; secret: string }> => {
    const { organisation, role, account, label, expiresAt } = wish;
    const secret = secretOf(role, randomBytes(SECRET_RANDOM_BYTES));
    const hash = secretHash(secret);
    const made = {
      id: newId(),
      organisation,
      role,
      label,
      secretHash: hash,
      expiresAt,
      accountId: account.id,
      narrowing: {},
    };
    return { token: await tokens.insert(made), secret };
  };
