import type { Organisation, Person, Principal } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import { type MemberRole, ownerRole } from '../rules/permissions.ts';
import type { InvitationStore, OfferStore } from './invitation-store.ts';
import type { MemberStore } from './member-store.ts';

/** What use cases about members need; the stores are those of one transaction. */
export interface MemberPorts {
  members: MemberStore;
  invitations: InvitationStore;
  offers: OfferStore;
  organisations: { findBySlug(slug: string): Promise<Organisation | null> };
  audit: Audit;
  nowMs: () => number;
  newId: () => string;
  randomBytes: (count: number) => Buffer;
  /** Blind index of an address of mail. */
  addressIndex(address: string): Buffer;
  /** Puts the mail with an invitation into the outbox. */
  mailInvitation(mail: {
    to: string;
    organisation: Organisation;
    role: MemberRole;
    secret: string;
    expiresAt: Date;
  }): Promise<void>;
  /** Whether the account has verified the address with this index. */
  hasAddress(accountId: string, index: Buffer): Promise<boolean>;
}

/**
 * The organisation that is meant, locked: the actor's own, or any for an admin of the platform.
 * Refuses with: organisation-unknown, organisation-foreign.
 */
export async function lockNamed(
  { members, organisations }: Pick<MemberPorts, 'members' | 'organisations'>,
  actor: Principal,
  slug = actor.organisation.slug,
): Promise<Organisation> {
  const own = slug === actor.organisation.slug;
  if (!own && actor.role !== 'admin') throw new RegistryRefusal('organisation-foreign');
  const found = own ? actor.organisation : await organisations.findBySlug(slug);
  const locked = found && (await members.lockOrganisation(found.id));
  if (!locked) throw new RegistryRefusal('organisation-unknown', undefined, { organisation: slug });
  return locked;
}

/** To be called under the lock, before somebody stops being an owner. One whose account is closed owns nothing. Refuses with: last-owner. */
export async function keepAnOwner(
  { members }: Pick<MemberPorts, 'members'>,
  { id, kind }: Organisation,
  leaving: { accountId: string; role: MemberRole },
): Promise<void> {
  const owner = ownerRole(kind);
  if (leaving.role !== owner) return;
  if ((await members.countOthersWithRole(id, owner, leaving.accountId)) === 0) throw new RegistryRefusal('last-owner');
}

/** A person as an actor in an organisation, for the audit. */
export const personIn = (person: Person, organisation: { id: string }) => ({
  via: 'session' as const,
  credentialId: person.sessionId,
  account: person.account,
  organisation,
});
