import type { Principal, Registry } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { can, isRoleOfKind, ROLES_OF_KIND } from '../rules/permissions.ts';
import { storedText } from '../rules/stored-text.ts';
import { SECRET_RANDOM_BYTES, secretHash, secretOf } from '../rules/token-secret.ts';
import type { OrganisationStore } from './organisation-store.ts';
import type { TokenStore } from './token-store.ts';

export interface IssueTokenPorts {
  organisations: OrganisationStore;
  tokens: TokenStore;
  newId: () => string;
  randomBytes: (count: number) => Buffer;
  audit: Audit;
}

/** The secret leaves here and is kept nowhere. Refuses with: organisation-unknown, organisation-foreign, role-not-allowed. */
export const issueToken =
  (ports: IssueTokenPorts): Registry['issueToken'] =>
  async (actor, { organisation: slug, role, label, expiresAt }) => {
    if (!can(actor.role, 'token:issue')) {
      throw new RegistryRefusal('role-not-allowed', `A token with the role ${actor.role} cannot issue tokens.`);
    }
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
    const secret = secretOf(role, ports.randomBytes(SECRET_RANDOM_BYTES));
    const token = await ports.tokens.insert({
      id: ports.newId(),
      organisation,
      role,
      label: storedText(label),
      secretHash: secretHash(secret),
      expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
    });
    await ports.audit({
      action: 'token.issue',
      actor,
      organisationId: organisation.id,
      subject: { kind: 'token', id: token.id },
      after: { role, label: token.label, expiresAt: token.expiresAt },
    });
    return { token, secret };
  };

/** Tokens of the platform's admins reach every organisation. */
export const actsForAll = (actor: Principal): boolean => actor.role === 'admin';
